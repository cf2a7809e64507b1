FROM node:20-bookworm-slim
RUN mkdir -p /data/npm && ln -s /data/npm /root/.npm
