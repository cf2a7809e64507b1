# What the suite's tests need of Alpine: its release file, its users, and the
# two programs that add users, which Debian's busybox doesn't have.
FROM busybox
RUN echo 3.23.0 >/etc/alpine-release
COPY <<'EOF' /etc/passwd
root:x:0:0:root:/root:/bin/sh
bin:x:1:1:bin:/bin:/sbin/nologin
daemon:x:2:2:daemon:/sbin:/sbin/nologin
nobody:x:65534:65534:nobody:/:/sbin/nologin
EOF
COPY <<'EOF' /etc/group
root:x:0:root
bin:x:1:root,bin,daemon
daemon:x:2:root,bin,daemon
wheel:x:10:root
users:x:100:
nobody:x:65534:
EOF
COPY --chmod=755 adduser addgroup /usr/sbin/
