ARG BASE
FROM $BASE
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm && rm -rf /var/lib/apt/lists/*
COPY node-root/ /
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["node"]
