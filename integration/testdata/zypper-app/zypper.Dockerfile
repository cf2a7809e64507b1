# What opensuse/leap:15.6 has, of Debian's packages: zypper, and a repository.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends zypper && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /etc/rpm && echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.dbpath
COPY <<EOF /etc/zypp/repos.d/oss.repo
[repo-oss]
name=Main Repository
baseurl=http://rpms.test/
enabled=1
autorefresh=1
gpgcheck=0
EOF
