# The FUSE program of the real image can't be had; the one test that mounts it
# fails with either frontend.
FROM busybox
RUN cp /bin/busybox /hellofs
