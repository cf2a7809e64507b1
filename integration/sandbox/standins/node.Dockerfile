ARG BASE
FROM $BASE
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
ARG VERSION
ENV NODE_VERSION=$VERSION
COPY --from=node . /usr/local/
COPY node-root/ /
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["node"]
