//go:build linux

package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/tonistiigi/fsutil"
)

// BuildRequest is one build of one Dockerfile. Context and Dockerfile are
// files of this machine; give Opts["context"] for a remote context.
type BuildRequest struct {
	// Context is the folder of the build context; empty means an empty one.
	Context string
	// Dockerfile is the Dockerfile's text. If it is nil, DockerfilePath names
	// the file, relative to Context, and empty means "Dockerfile". A
	// .dockerignore is that of the context either way.
	Dockerfile     []byte
	DockerfilePath string

	// Frontend is the image of the frontend to build with, as a `# syntax`
	// line would name it, settings after the reference included. Empty means
	// BuildKit's own, which ignores a `# syntax` line unless HonorSyntax is set.
	Frontend    string
	HonorSyntax bool
	// Func is a frontend to run in this process instead of Frontend. It needs
	// no image, and its lines count in a coverage profile.
	Func gateway.BuildFunc

	Target        string
	Platforms     []string          // "linux/arm64"; empty: the builder's own
	BuildArgs     map[string]string // --build-arg
	NamedContexts map[string]string // --build-context: a folder, or what BuildKit takes ("docker-image://...")
	Secrets       map[string][]byte // --secret, by id
	Attests       map[string]string // --attest: type to settings, {"provenance": "mode=max", "sbom": ""}
	NoCache       bool
	Opts          map[string]string // further frontend options; they win over all of the above

	// At most one of the following; none builds for the cache only.
	Push     string // a reference to push to
	OCITar   string // a file to write an OCI layout to, as tar
	LocalDir string // a folder to write the root file system to
	// ExportAttrs are settings of the exporter, such as "compression".
	ExportAttrs map[string]string

	CacheFrom, CacheTo []client.CacheOptionsEntry
}

// BuildxAttests is what buildx asks of a builder that can hold attestations,
// unless its user says otherwise.
func BuildxAttests() map[string]string {
	return map[string]string{"provenance": "mode=min,inline-only=true"}
}

// BuildResult is what a build did. A failed build has one too.
type BuildResult struct {
	Wall time.Duration // from the request to the answer
	// CPU is what buildkitd and the build's containers used meanwhile, 0 where
	// control groups can't tell. Builds that run at the same time share it.
	CPU time.Duration
	// Vertices are the steps in the order in which BuildKit named them.
	Vertices []*Vertex
	Warnings []*client.VertexWarning
	// Exporter is the exporter's answer: "containerimage.digest" and others.
	Exporter map[string]string
	// Digest is that of the image or index that was exported.
	Digest string
	// ContextBytes is what was sent of all contexts and the Dockerfile.
	ContextBytes int64
	// Sources are the places in the Dockerfile that a failure names.
	Sources []*errdefs.Source
}

// errStopped says that there is nothing to build with.
var errStopped = errors.New("building: BuildKit has stopped, so nothing can be built; start a new sandbox")

// Build runs one build. When the build itself fails, both the result and the
// error are set.
func (sb *Sandbox) Build(ctx context.Context, req BuildRequest) (*BuildResult, error) {
	if !sb.runs("buildkitd") {
		return nil, errStopped
	}
	scratch, err := os.MkdirTemp(sb.run, "build-")
	if err != nil {
		return nil, fmt.Errorf("preparing a build: %w", err)
	}
	defer os.RemoveAll(scratch)
	opt := client.SolveOpt{
		FrontendAttrs:       req.attrs(),
		LocalMounts:         map[string]fsutil.FS{},
		CacheImports:        req.CacheFrom,
		CacheExports:        req.CacheTo,
		AllowedEntitlements: []string{"network.host", "security.insecure"},
	}
	if err := req.mounts(&opt, scratch); err != nil {
		return nil, fmt.Errorf("preparing a build: %w", err)
	}
	if err := req.export(&opt); err != nil {
		return nil, fmt.Errorf("preparing a build: %w", err)
	}
	if req.Secrets != nil {
		opt.Session = []session.Attachable{secretsprovider.FromMap(req.Secrets)}
	}
	opt.Frontend = "dockerfile.v0"
	if req.Frontend != "" {
		opt.Frontend = "gateway.v0"
	}
	maps.Copy(opt.FrontendAttrs, req.Opts)
	return sb.solve(ctx, opt, req.Func)
}

// solve runs the build and collects what it reports.
func (sb *Sandbox) solve(ctx context.Context, opt client.SolveOpt, fn gateway.BuildFunc) (*BuildResult, error) {
	status := make(chan *client.SolveStatus)
	collected := make(chan *BuildResult)
	go func() { collected <- collect(status) }()
	cpu, cpuErr := sb.cgroup.cpu()
	began := time.Now()
	var resp *client.SolveResponse
	var err error
	if fn != nil {
		resp, err = sb.BuildKit.Build(ctx, opt, "imgmgr-sandbox", fn, status)
	} else {
		resp, err = sb.BuildKit.Solve(ctx, nil, opt, status)
	}
	wall := time.Since(began)
	result := <-collected
	result.Wall = wall
	if now, nowErr := sb.cgroup.cpu(); cpuErr == nil && nowErr == nil {
		result.CPU = now - cpu
	}
	if err != nil && !sb.runs("buildkitd") {
		return result, errStopped
	}
	if err != nil {
		result.Sources = errdefs.Sources(err)
		return result, fmt.Errorf("building: %w", err)
	}
	result.Exporter = resp.ExporterResponse
	result.Digest = resp.ExporterResponse["containerimage.digest"]
	return result, nil
}

// attrs are the frontend's options, as buildx would send them.
func (r *BuildRequest) attrs() map[string]string {
	attrs := map[string]string{}
	if r.Frontend != "" {
		attrs["source"], _, _ = strings.Cut(r.Frontend, " ")
		attrs["cmdline"] = r.Frontend
	} else if !r.HonorSyntax {
		// The built-in frontend looks for a `# syntax` line only as long as
		// nobody has told it which frontend it is.
		attrs["cmdline"] = "builtin"
	}
	if r.Target != "" {
		attrs["target"] = r.Target
	}
	if len(r.Platforms) > 0 {
		attrs["platform"] = strings.Join(r.Platforms, ",")
	}
	if r.NoCache {
		attrs["no-cache"] = ""
	}
	for name, value := range r.BuildArgs {
		attrs["build-arg:"+name] = value
	}
	for kind, settings := range r.Attests {
		attrs["attest:"+kind] = settings
	}
	return attrs
}

// mounts hands the contexts and the Dockerfile to the build's session.
func (r *BuildRequest) mounts(opt *client.SolveOpt, scratch string) error {
	dir := r.Context
	if dir == "" {
		dir = filepath.Join(scratch, "context")
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	} else {
		// With the same key, BuildKit is sent only what changed since.
		abs, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		sum := sha256.Sum256([]byte(abs))
		opt.SharedKey = hex.EncodeToString(sum[:])
	}
	file := filepath.Join(dir, "Dockerfile")
	if r.DockerfilePath != "" {
		file = filepath.Join(dir, r.DockerfilePath)
	}
	if r.Dockerfile != nil {
		sub := filepath.Join(scratch, "dockerfile")
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
		file = filepath.Join(sub, "Dockerfile")
		if err := os.WriteFile(file, r.Dockerfile, 0o644); err != nil {
			return err
		}
	}
	opt.FrontendAttrs["filename"] = filepath.Base(file)
	folders := map[string]string{"context": dir, "dockerfile": filepath.Dir(file)}
	for name, from := range r.NamedContexts {
		if isDir(from) {
			folders["named-"+name] = from
			from = "local:named-" + name
		}
		opt.FrontendAttrs["context:"+name] = from
	}
	for name, folder := range folders {
		files, err := fsutil.NewFS(folder)
		if err != nil {
			return fmt.Errorf("opening %s: %w", folder, err)
		}
		opt.LocalMounts[name] = files
	}
	return nil
}

// export chooses the exporter.
func (r *BuildRequest) export(opt *client.SolveOpt) error {
	attrs := map[string]string{}
	maps.Copy(attrs, r.ExportAttrs)
	entry := client.ExportEntry{Attrs: attrs}
	switch {
	case r.Push != "":
		entry.Type = client.ExporterImage
		attrs["name"], attrs["push"] = r.Push, "true"
	case r.OCITar != "":
		entry.Type = client.ExporterOCI
		entry.Output = func(map[string]string) (io.WriteCloser, error) { return os.Create(r.OCITar) }
	case r.LocalDir != "":
		entry.Type = client.ExporterLocal
		entry.OutputDir = r.LocalDir
	default:
		return nil
	}
	opt.Exports = []client.ExportEntry{entry}
	return nil
}
