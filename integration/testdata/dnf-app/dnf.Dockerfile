# What rockylinux:9 has, of Debian's packages: dnf 4, and a repository.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends dnf && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /etc/rpm && echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.dbpath
COPY <<EOF /etc/yum.repos.d/rocky.repo
[baseos]
name=Rocky Linux
baseurl=http://rpms.test/
gpgcheck=0
EOF
