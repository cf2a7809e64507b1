# What maven:3-eclipse-temurin-17 has, of Debian's packages, with a mirror of Maven Central.
FROM debian:bookworm-slim
RUN mkdir -p /usr/share/man/man1 && apt-get update && apt-get install -y --no-install-recommends maven openjdk-17-jdk-headless && rm -rf /var/lib/apt/lists/*
COPY <<"EOT" /etc/maven/settings.xml
<settings><mirrors><mirror><id>loopback</id><mirrorOf>*</mirrorOf><url>${env.MAVEN_MIRROR}</url></mirror></mirrors></settings>
EOT
ENV MAVEN_CONFIG=/root/.m2
