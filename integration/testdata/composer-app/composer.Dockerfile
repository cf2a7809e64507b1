# What composer:2 has, of Debian's packages.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends composer php-cli unzip && rm -rf /var/lib/apt/lists/*
ENV COMPOSER_ALLOW_SUPERUSER=1 COMPOSER_HOME=/tmp COMPOSER_CACHE_DIR=/tmp/cache
