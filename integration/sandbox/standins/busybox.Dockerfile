FROM scratch
ARG TARGETARCH
COPY $TARGETARCH/ /
COPY busybox-rootfs/ /
CMD ["sh"]
