package sbom

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/buildx"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/source"
)

// An SBOM is made by the user's own builder, which runs a scanner's image with
// the image mounted: BuildKit's scanner protocol, in a Dockerfile of six lines.
// So the image is not sent anywhere, a second call finds the result in the
// builder's cache, and any builder will do. Linking a scanner would make the
// plugin eight times as large, and every start of it slower; to call an
// installed one would be one more thing to install.

// scannerEnv names the scanner's image for those who pass no --scanner.
const scannerEnv = "IMGMGR_SCANNER"

// defaultScanner is BuildKit's own default generator.
const defaultScanner = "docker/buildkit-syft-scanner:stable-1"

// maker makes an SBOM of an image that has none.
type maker struct {
	scanner, builder, platform string
	sources                    source.Options
}

// sbom has the image that src is of scanned.
func (m maker) sbom(ctx context.Context, src image.Source, img *image.Image) (*Document, error) {
	from, contexts, err := m.from(src, img)
	if err != nil {
		return nil, err
	}
	command, err := m.command(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{"--file", "-", "--network", "none", "--provenance=false", "--output", "type=tar,dest=-"}
	args = append(args, contexts...)
	builder := buildx.Builder(m.builder)
	if builder == "" && strings.HasPrefix(src.String(), "engine:") {
		builder = "default" // which sees what the Engine holds
	}
	if m.platform != "" {
		args = append(args, "--platform", m.platform)
	}
	out, err := m.build(ctx, builder, dockerfile(from, m.scanner, command), args)
	if err != nil {
		return nil, fmt.Errorf("make an SBOM of %s with %s: %w", src, m.scanner, err)
	}
	return scanned(out)
}

// from is what FROM says of the image, with the options that it needs.
func (m maker) from(src image.Source, img *image.Image) (ref string, options []string, err error) {
	kind, name, _ := strings.Cut(src.String(), ":")
	switch kind {
	case "registry":
		// By digest: the tag may lead elsewhere by now.
		if dgst := img.Digest; dgst != "" && !strings.Contains(name, "@") {
			name += "@" + string(dgst)
		}
		return name, nil, nil
	case "engine":
		return name, nil, nil
	case "oci":
		if dir, _, ok := strings.Cut(name, ":"); ok {
			name = dir
		}
		return "imgmgr-image", []string{"--build-context", "imgmgr-image=oci-layout://" + name + "@" + string(img.Digest)}, nil
	}
	return "", nil, fmt.Errorf("%w, and none can be made of %s: load it with docker load, or push it, first", errNone, src)
}

// command is what the scanner's image runs.
func (m maker) command(ctx context.Context) ([]string, error) {
	src, err := source.Open(ctx, m.scanner, m.sources)
	if err != nil {
		return nil, fmt.Errorf("look up the scanner %s: %w", m.scanner, err)
	}
	defer src.Close()
	img, err := src.Read(ctx, "", nil)
	if err != nil {
		return nil, fmt.Errorf("look up the scanner %s: %w; name another with --scanner", m.scanner, err)
	}
	command := append(append([]string{}, img.Config.Config.Entrypoint...), img.Config.Config.Cmd...)
	if len(command) == 0 {
		return nil, fmt.Errorf("the image %s runs nothing, so it is no scanner; name another with --scanner", m.scanner)
	}
	return command, nil
}

// dockerfile runs a scanner by BuildKit's protocol. The image comes by the name
// of a stage, so that its platform is the one that was asked for.
func dockerfile(image, scanner string, command []string) string {
	words, _ := json.Marshal(command) // of strings, which never fails
	return fmt.Sprintf(`FROM %s AS sbom
FROM --platform=$BUILDPLATFORM %s AS scanner
ENV BUILDKIT_SCAN_SOURCE=/run/src/core/sbom BUILDKIT_SCAN_DESTINATION=/run/out
WORKDIR /run/out
RUN --mount=type=bind,from=sbom,target=/run/src/core/sbom --mount=type=tmpfs,target=/tmp %s
FROM scratch
COPY --from=scanner /run/out /
`, image, scanner, words)
}

// build builds with an empty context and returns what is written to standard output.
func (m maker) build(ctx context.Context, builder buildx.Builder, dockerfile string, args []string) ([]byte, error) {
	empty, err := os.MkdirTemp("", "imgmgr-context-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(empty)
	var out bytes.Buffer
	err = builder.Run(ctx, buildx.Build{Args: append(args, empty), Stdin: strings.NewReader(dockerfile), Stdout: &out})
	return out.Bytes(), err
}

// scanned reads what a scanner wrote from a tar.
func scanned(data []byte) (*Document, error) {
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil, errors.New("the scanner made no SBOM")
		}
		if err != nil {
			return nil, fmt.Errorf("read what the scanner made: %w", err)
		}
		if !strings.HasSuffix(h.Name, ".spdx.json") {
			continue
		}
		text, err := io.ReadAll(r)
		if err != nil {
			return nil, fmt.Errorf("read what the scanner made: %w", err)
		}
		return Parse(text)
	}
}

// platformOf is the platform of an image as buildx takes it.
func platformOf(p ocispec.Platform) string {
	name := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		name += "/" + p.Variant
	}
	return name
}
