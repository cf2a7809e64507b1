FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make sccache && rm -rf /var/lib/apt/lists/*
