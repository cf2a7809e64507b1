# The frontend's image: `# syntax=` names it, and BuildKit runs it again as the
# SBOM scanner. Release builds: --platform linux/amd64,linux/arm64
#
# To package binaries that were built elsewhere, put them in
# DIR/out/<os>_<arch>/ and pass --build-context build=DIR.

# Compiles on the build machine's own platform for any other.
# imgmgr ignore=UnpinnedBaseImage # patch releases of Go are wanted as they come
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
ENV CGO_ENABLED=0
RUN --mount=type=cache,id=imgmgr-gomodcache,target=/go/pkg/mod \
    --mount=type=bind,source=go.mod,target=go.mod \
    --mount=type=bind,source=go.sum,target=go.sum \
    go mod download
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=devel
RUN --mount=type=cache,id=imgmgr-gomodcache,target=/go/pkg/mod \
    --mount=type=cache,id=imgmgr-gocache,target=/root/.cache/go-build \
    --mount=type=bind,target=. \
    GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
        -ldflags "-s -w -X main.version=$VERSION" \
        -o "/out/${TARGETOS}_${TARGETARCH}/" ./frontend/cmd/...

# imgmgr ignore=RunAsRoot # the scanner reads files that only root may
FROM scratch
ARG TARGETOS
ARG TARGETARCH
# BuildKit reads these two before it starts a frontend: it needs no network, and
# this is what it can do.
LABEL moby.buildkit.frontend.network.none="true" \
      moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.contexts.zstd" \
      org.opencontainers.image.title="imgmgr frontend" \
      org.opencontainers.image.description="A BuildKit frontend that rewrites Dockerfiles during the build, and the SBOM scanner of what it builds" \
      org.opencontainers.image.source="https://github.com/imgmgr/imgmgr"
# A layer each, the one that changes less often first.
COPY --link --from=build /out/${TARGETOS}_${TARGETARCH}/imgmgr-scanner /bin/imgmgr-scanner
COPY --link --from=build /out/${TARGETOS}_${TARGETARCH}/imgmgr-frontend /bin/imgmgr-frontend
ENTRYPOINT ["/bin/imgmgr-frontend"]
