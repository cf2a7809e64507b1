# What eclipse-temurin:17-jdk has, of Debian's packages, with Debian's Gradle.
FROM debian:bookworm-slim
RUN mkdir -p /usr/share/man/man1 && apt-get update && apt-get install -y --no-install-recommends gradle openjdk-17-jdk-headless && rm -rf /var/lib/apt/lists/*
ENV JAVA_VERSION=jdk-17
