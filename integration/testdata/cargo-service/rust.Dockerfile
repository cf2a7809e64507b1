# What rust:1-slim-bookworm has, of Debian's packages.
FROM debian:bookworm-slim
ENV CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN apt-get update && apt-get install -y --no-install-recommends cargo-web gcc libc6-dev && rm -rf /var/lib/apt/lists/* && mkdir -p /usr/local/cargo/bin
