//go:build linux

package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Frontend makes the frontend's image from this checkout, pushes it to the
// sandbox's registry and returns its reference. It is for the architectures
// given ("arm64"), or for this machine's own.
//
// The image is that of the top-level Dockerfile, but for its binaries: they
// are compiled on the host, with the host's Go build cache, and take the place
// of the stage "build".
func (sb *Sandbox) Frontend(ctx context.Context, archs ...string) (string, error) {
	if len(archs) == 0 {
		archs = []string{runtime.GOARCH}
	}
	out := filepath.Join(sb.run, "frontend")
	var platforms []string
	for _, arch := range archs {
		sb.log("compiling the frontend and its SBOM scanner for %s", arch)
		if err := sb.compile(ctx, sb.module, arch, filepath.Join(out, "out", "linux_"+arch), "./frontend/cmd/..."); err != nil {
			return "", err
		}
		platforms = append(platforms, "linux/"+arch)
	}
	ref := sb.Registry + "/imgmgr-frontend:" + strings.Join(archs, "-")
	_, err := sb.Build(ctx, BuildRequest{
		Context:       sb.module,
		Platforms:     platforms,
		NamedContexts: map[string]string{"build": out},
		Push:          ref,
	})
	if err != nil {
		return "", fmt.Errorf("make the frontend's image: %w", err)
	}
	return ref, nil
}

// upstreamFrontend packages BuildKit's frontend with the labels of its own image.
const upstreamFrontend = `FROM scratch
LABEL moby.buildkit.frontend.network.none="true" \
      moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.contexts.zstd"
COPY dockerfile-frontend /bin/dockerfile-frontend
ENTRYPOINT ["/bin/dockerfile-frontend"]
`

// UpstreamFrontend makes an image of BuildKit's own Dockerfile frontend, of the
// version that ours calls, pushes it to the sandbox's registry and returns its
// reference. It is what ours is compared with: a frontend as an image costs a
// container's start, which the one inside buildkitd doesn't.
func (sb *Sandbox) UpstreamFrontend(ctx context.Context) (string, error) {
	const pkg = "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend"
	out := filepath.Join(sb.run, "upstream-frontend")
	if err := sb.compile(ctx, filepath.Join(sb.module, "integration", "tools"), runtime.GOARCH, out, pkg); err != nil {
		return "", err
	}
	ref := sb.Registry + "/dockerfile-frontend:" + runtime.GOARCH
	if _, err := sb.Build(ctx, BuildRequest{Context: out, Dockerfile: []byte(upstreamFrontend), Push: ref}); err != nil {
		return "", fmt.Errorf("make the image of BuildKit's own frontend: %w", err)
	}
	return ref, nil
}

// PlainScanner makes an image of integration/bench/plainscanner, pushes it to the
// sandbox's registry and returns its reference: an SBOM scanner for BuildKit that
// does what syft does by itself.
func (sb *Sandbox) PlainScanner(ctx context.Context) (string, error) {
	out := filepath.Join(sb.run, "plain-scanner")
	if err := sb.compile(ctx, sb.module, runtime.GOARCH, out, "./integration/bench/plainscanner"); err != nil {
		return "", err
	}
	ref := sb.Registry + "/plain-scanner:" + runtime.GOARCH
	const file = "FROM scratch\nCOPY plainscanner /bin/plainscanner\nENV TMPDIR=/\nENTRYPOINT [\"/bin/plainscanner\"]\n"
	if _, err := sb.Build(ctx, BuildRequest{Context: out, Dockerfile: []byte(file), Push: ref}); err != nil {
		return "", fmt.Errorf("make the image of the plain scanner: %w", err)
	}
	return ref, nil
}

// compile builds the main packages of the module in the folder module, static
// and without symbols, into dir.
func (sb *Sandbox) compile(ctx context.Context, module, arch, dir, packages string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("compile %s: %w", packages, err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", dir+"/", packages)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compile %s: %w\n%s", packages, err, output)
	}
	return nil
}

// Package is an entry of an SBOM.
type Package struct {
	Kind    string // of its purl: "deb", "npm", "golang"; "" without one
	Name    string
	Version string
}

// SBOM reads the SBOM that is attached to an image in a registry, the way a
// user does: through docker buildx imagetools inspect. An image without one is
// an error.
func (sb *Sandbox) SBOM(ctx context.Context, ref string) ([]Package, error) {
	text, err := sb.Buildx(ctx, "", "imagetools", "inspect", "--format", "{{json .SBOM}}", ref)
	if err != nil {
		return nil, err
	}
	var sbom struct {
		SPDX struct {
			Packages []struct {
				Name         string
				VersionInfo  string
				ExternalRefs []struct{ ReferenceType, ReferenceLocator string }
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &sbom); err != nil {
		return nil, fmt.Errorf("read the SBOM of %s: %w", ref, err)
	}
	if len(sbom.SPDX.Packages) == 0 {
		return nil, fmt.Errorf("%s has no SBOM attached; buildx says %s", ref, strings.TrimSpace(text))
	}
	var packages []Package
	for _, p := range sbom.SPDX.Packages {
		entry := Package{Name: p.Name, Version: p.VersionInfo}
		for _, r := range p.ExternalRefs {
			if purl, ok := strings.CutPrefix(r.ReferenceLocator, "pkg:"); ok && r.ReferenceType == "purl" {
				entry.Kind, _, _ = strings.Cut(purl, "/")
			}
		}
		if entry.Kind != "" { // the image itself is listed too
			packages = append(packages, entry)
		}
	}
	return packages, nil
}
