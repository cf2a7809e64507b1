# What python:3.11-bookworm has, of Debian's packages, and Poetry.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3-distutils python3-poetry \
 && rm -rf /var/lib/apt/lists/* /usr/lib/python3*/EXTERNALLY-MANAGED \
 && ln -s /usr/bin/python3 /usr/local/bin/python
ENV PYTHON_VERSION=3.11.2
CMD ["python3"]
