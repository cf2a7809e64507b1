package frontend

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/moby/patternmatcher"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// daemon is a gateway that answers from memory and keeps what it was asked.
type daemon struct {
	opts       map[string]string
	dockerfile string
	context    map[string]string // nil: the client sends no context
	images     map[string]string // reference (and "@platform") to configuration
	caps       *apicaps.CapSet
	fail       func(def *pb.Definition) error

	mu       sync.Mutex
	solved   []client.SolveRequest
	warned   []warning
	resolved []string
}

type warning struct {
	message string
	opts    client.WarnOpts
}

const debianConfig = `{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/bin:/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]}}`

func newDaemon(dockerfile string, opts map[string]string) *daemon {
	if opts == nil {
		opts = map[string]string{}
	}
	if _, ok := opts["cmdline"]; !ok {
		opts["cmdline"] = "imgmgr/frontend"
	}
	return &daemon{
		opts:       opts,
		dockerfile: dockerfile,
		context:    map[string]string{},
		images:     map[string]string{"docker.io/library/debian:12": debianConfig},
	}
}

func (d *daemon) BuildOpts() client.BuildOpts {
	caps := pb.Caps.CapSet(pb.Caps.All())
	if d.caps != nil {
		caps = *d.caps
	}
	return client.BuildOpts{
		Opts:      d.opts,
		SessionID: "session",
		LLBCaps:   caps,
		Caps:      gwpb.Caps.CapSet(gwpb.Caps.All()),
		Workers:   []client.WorkerInfo{{Platforms: []ocispec.Platform{{OS: "linux", Architecture: "amd64"}}}},
	}
}

func (d *daemon) Inputs(context.Context) (map[string]llb.State, error) { return nil, nil }

func (d *daemon) NewContainer(context.Context, client.NewContainerRequest) (client.Container, error) {
	return nil, errors.New("the fake daemon runs no containers")
}

func (d *daemon) Warn(_ context.Context, _ digest.Digest, message string, opts client.WarnOpts) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.warned = append(d.warned, warning{message, opts})
	return nil
}

func (d *daemon) ResolveImageConfig(_ context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := ref
	if opt.ImageOpt != nil && opt.ImageOpt.Platform != nil {
		asked += "@" + platforms.Format(*opt.ImageOpt.Platform)
	}
	d.resolved = append(d.resolved, asked)
	for _, name := range []string{asked, ref} {
		if config, ok := d.images[name]; ok {
			return ref, digest.FromString(ref), []byte(config), nil
		}
	}
	return "", "", nil, fmt.Errorf("%s: not found", ref)
}

func (d *daemon) ResolveSourceMetadata(ctx context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	ref, dgst, config, err := d.ResolveImageConfig(ctx, strings.TrimPrefix(op.Identifier, "docker-image://"), opt)
	if err != nil {
		return nil, err
	}
	return &sourceresolver.MetaResponse{
		Op:    &pb.SourceOp{Identifier: "docker-image://" + ref},
		Image: &sourceresolver.ResolveImageResponse{Digest: dgst, Config: config},
	}, nil
}

func (d *daemon) Solve(_ context.Context, req client.SolveRequest) (*client.Result, error) {
	d.mu.Lock()
	d.solved = append(d.solved, req)
	d.mu.Unlock()
	res := client.NewResult()
	if req.Frontend != "" {
		res.AddMeta("frontend", []byte(req.Frontend))
		return res, nil
	}
	if d.fail != nil {
		if err := d.fail(req.Definition); err != nil {
			return nil, err
		}
	}
	ref := &tree{files: map[string]string{}}
	if src := loneSource(req.Definition); src != nil {
		switch src.Identifier {
		case "local://dockerfile":
			ref.files["Dockerfile"] = d.dockerfile
		case "local://context":
			if d.context == nil {
				return nil, errors.New("no local sources enabled")
			}
			ref.files = sent(d.context, src.Attrs)
			if src.Attrs[pb.AttrMetadataTransfer] == "true" {
				ref.files = map[string]string{listing: listed(ref.files)}
			}
		default: // git and the like: the whole tree
			ref.files = maps.Clone(d.context)
			ref.files["Dockerfile"] = d.dockerfile
		}
	}
	res.SetRef(ref)
	return res, nil
}

// built are the definitions that stand for the image, and for its SBOM.
func (d *daemon) built() []*pb.Definition {
	var out []*pb.Definition
	for _, req := range d.solved {
		if len(req.Definition.GetSource().GetInfos()) > 0 {
			out = append(out, req.Definition)
		}
	}
	return out
}

func (d *daemon) messages() []string {
	var out []string
	for _, w := range d.warned {
		out = append(out, w.message)
	}
	return out
}

// loneSource is the source of a definition that only loads something.
func loneSource(def *pb.Definition) *pb.SourceOp {
	if len(def.GetSource().GetInfos()) > 0 {
		return nil
	}
	var found *pb.SourceOp
	for _, op := range ops(def) {
		if src := op.GetSource(); src != nil {
			found = src
		}
	}
	return found
}

func ops(def *pb.Definition) []*pb.Op {
	var out []*pb.Op
	for _, data := range def.GetDef() {
		op := &pb.Op{}
		if err := op.UnmarshalVT(data); err != nil {
			panic(err)
		}
		out = append(out, op)
	}
	return out
}

// sent are the files that a client sends for a local source's attributes.
func sent(all, attrs map[string]string) map[string]string {
	patterns := func(key string) (list []string) {
		if attrs[key] != "" {
			if err := json.Unmarshal([]byte(attrs[key]), &list); err != nil {
				panic(err)
			}
		}
		return list
	}
	include, exclude := patterns(pb.AttrFollowPaths), patterns(pb.AttrExcludePatterns)
	matched := patterns(pb.AttrIncludePatterns)
	out := map[string]string{}
	for name, data := range all {
		excluded, err := patternmatcher.MatchesOrParentMatches(name, exclude)
		if err != nil {
			panic(err)
		}
		if matches, err := patternmatcher.MatchesOrParentMatches(name, matched); err != nil {
			panic(err)
		} else if matched != nil && !matches {
			continue
		}
		for at := name; at != "."; at = path.Dir(at) {
			if !excluded && (len(include) == 0 || slices.Contains(include, at)) {
				out[name] = data
			}
			// A directory goes although what lies in it is excluded.
			gone, _ := patternmatcher.MatchesOrParentMatches(at, exclude)
			if at != name && !gone && slices.Contains(include, at) {
				out[at+"/"] = ""
			}
		}
	}
	return out
}

// listed is what BuildKit writes where only metadata was sent.
func listed(files map[string]string) string {
	var out []byte
	for _, name := range slices.Sorted(maps.Keys(files)) {
		entry, err := (&fstypes.Stat{Path: name, Mode: 0o644}).MarshalVT()
		if err != nil {
			panic(err)
		}
		out = append(binary.LittleEndian.AppendUint32(out, uint32(len(entry))), entry...)
	}
	return string(out)
}

// tree is a reference to files in memory; a name ending in "/" is an empty
// directory, data "-> x" a symbolic link.
type tree struct{ files map[string]string }

func (t *tree) ToState() (llb.State, error)    { return llb.Scratch(), nil }
func (t *tree) Evaluate(context.Context) error { return nil }

func (t *tree) ReadFile(_ context.Context, req client.ReadRequest) ([]byte, error) {
	data, ok := t.files[req.Filename]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: req.Filename, Err: fs.ErrNotExist}
	}
	if req.Range != nil && req.Range.Length > 0 && len(data) > req.Range.Length {
		data = data[:req.Range.Length]
	}
	return []byte(data), nil
}

func (t *tree) StatFile(_ context.Context, req client.StatRequest) (*fstypes.Stat, error) {
	data, ok := t.files[req.Path]
	if !ok {
		return nil, &fs.PathError{Op: "stat", Path: req.Path, Err: fs.ErrNotExist}
	}
	return &fstypes.Stat{Path: req.Path, Mode: 0o644, Size: int64(len(data))}, nil
}

func (t *tree) ReadDir(_ context.Context, req client.ReadDirRequest) ([]*fstypes.Stat, error) {
	found := map[string]*fstypes.Stat{}
	for name, data := range t.files {
		rest := name
		if req.Path != "." {
			var ok bool
			if rest, ok = strings.CutPrefix(name, req.Path+"/"); !ok {
				continue
			}
		}
		first, _, deeper := strings.Cut(rest, "/")
		st := &fstypes.Stat{Path: first, Mode: 0o644, Size: int64(len(data))}
		if deeper {
			st = &fstypes.Stat{Path: first, Mode: uint32(fs.ModeDir | 0o755)}
		} else if target, ok := strings.CutPrefix(data, "-> "); ok {
			st = &fstypes.Stat{Path: first, Mode: uint32(fs.ModeSymlink | 0o777), Linkname: target}
		}
		found[first] = st
	}
	return slices.Collect(maps.Values(found)), nil
}

// hasMessage reports whether one of the messages has all parts.
func hasMessage(messages []string, parts ...string) bool {
	return slices.ContainsFunc(messages, func(m string) bool {
		for _, part := range parts {
			if !strings.Contains(m, part) {
				return false
			}
		}
		return true
	})
}

func requireNoWarnings(t *testing.T, d *daemon) {
	t.Helper()
	if len(d.warned) > 0 {
		t.Errorf("warned: %q", d.messages())
	}
}

func digestOf(op []byte) string { return digest.FromBytes(op).String() }
