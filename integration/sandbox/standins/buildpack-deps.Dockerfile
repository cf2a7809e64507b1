FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
        curl g++ gcc git libc6-dev make patch pkg-config procps python3 unzip wget xz-utils \
    && rm -rf /var/lib/apt/lists/*
