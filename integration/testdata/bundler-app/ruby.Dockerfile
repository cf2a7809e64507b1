# What ruby:3.1-slim has, of Debian's packages, with a newer Bundler and a mirror of rubygems.org.
FROM debian:bookworm-slim
RUN sed 's/bookworm/trixie/' /etc/apt/sources.list.d/debian.sources >/etc/apt/sources.list.d/trixie.sources \
 && printf 'Package: *\nPin: release n=trixie*\nPin-Priority: 100\n' >/etc/apt/preferences.d/trixie \
 && apt-get update && apt-get install -y --no-install-recommends ruby ruby-dev gcc libc6-dev make ruby-bundler/trixie ruby-rubygems/trixie \
 && rm -rf /var/lib/apt/lists/* && mkdir -p /usr/local/bundle && chmod 1777 /usr/local/bundle
ENV LANG=C.UTF-8 RUBY_VERSION=3.1.2 GEM_HOME=/usr/local/bundle BUNDLE_SILENCE_ROOT_WARNING=1 BUNDLE_APP_CONFIG=/usr/local/bundle
ENV PATH=/usr/local/bundle/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN bundle config set --global mirror.https://rubygems.org http://rubygems.test
CMD ["irb"]
