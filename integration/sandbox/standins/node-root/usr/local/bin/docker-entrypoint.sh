#!/bin/sh
# Anything that is no program is an argument for node: `docker run node -e 1`.
command -v "$1" >/dev/null 2>&1 || set -- node "$@"
exec "$@"
