FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ccache gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
