# The repository, made by RPM's own tools: shouting needs greeting.
FROM debian:bookworm-slim AS tools
RUN apt-get update && apt-get install -y --no-install-recommends createrepo-c rpm && rm -rf /var/lib/apt/lists/*
COPY <<EOF /greeting.spec
Name: greeting
Version: 1.0
Release: 1
Summary: A greeting
License: MIT
BuildArch: noarch
AutoReqProv: no
%description
A greeting.
%package -n shouting
Summary: A loud greeting
Requires: greeting
%description -n shouting
A loud greeting.
%install
mkdir -p %{buildroot}/usr/share/greeting
echo hello >%{buildroot}/usr/share/greeting/greeting
echo HELLO >%{buildroot}/usr/share/greeting/shouting
%files
/usr/share/greeting/greeting
%files -n shouting
/usr/share/greeting/shouting
EOF
RUN rpmbuild -bb --define '_rpmdir /repository' /greeting.spec && createrepo_c /repository

FROM scratch
COPY --from=tools /repository /
