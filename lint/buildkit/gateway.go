package buildkit

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/imgmgr/imgmgr/lint/facts"
)

// gateway is a gateway client with no daemon behind it.
type gateway struct {
	facts    facts.Context
	opts     map[string]string
	platform ocispecs.Platform
	unknown  atomic.Bool // a base image was asked for and isn't known
}

var _ client.Client = (*gateway)(nil)

func newGateway(fc facts.Context, platform ocispecs.Platform) *gateway {
	return &gateway{facts: fc, platform: platform, opts: options(fc, platform)}
}

var errNoDaemon = errors.New("there is no daemon behind a check")

func (g *gateway) BuildOpts() client.BuildOpts {
	return client.BuildOpts{
		Opts:    g.opts,
		LLBCaps: llbCaps(),
		Caps:    gatewayCaps(),
		Workers: []client.WorkerInfo{{Platforms: []ocispecs.Platform{platforms.Normalize(platforms.DefaultSpec())}}},
	}
}

// All that this version of BuildKit can do.
var (
	llbCaps     = sync.OnceValue(func() apicaps.CapSet { return pb.Caps.CapSet(pb.Caps.All()) })
	gatewayCaps = sync.OnceValue(func() apicaps.CapSet { return gwpb.Caps.CapSet(gwpb.Caps.All()) })
)

// Solve answers the one thing a check solves for: the .dockerignore file.
func (g *gateway) Solve(context.Context, client.SolveRequest) (*client.Result, error) {
	res := client.NewResult()
	res.SetRef(ignoreFile{g.facts.Ignored})
	return res, nil
}

// ResolveImageConfig answers with the image's configuration, or with an empty
// one of the right platform where it isn't known.
func (g *gateway) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	want := g.platform
	if opt.ImageOpt != nil && opt.ImageOpt.Platform != nil {
		want = *opt.ImageOpt.Platform
	}
	config := ocispecs.Image{Platform: want}
	if image := g.image(ctx, ref, want); image != nil {
		config = image.Config
	} else {
		g.unknown.Store(true)
	}
	if len(config.RootFS.DiffIDs) == 0 {
		// Without a layer the converter takes the image for scratch.
		config.RootFS = ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromString(ref)}}
	}
	dt, err := json.Marshal(config)
	return ref, "", dt, err
}

func (g *gateway) image(ctx context.Context, ref string, platform ocispecs.Platform) *facts.Image {
	if g.facts.Images == nil {
		return nil
	}
	image, err := g.facts.Images.Image(ctx, ref, platforms.Format(platform))
	if err != nil {
		return nil
	}
	return image
}

func (g *gateway) ResolveSourceMetadata(context.Context, *pb.SourceOp, sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	return nil, errNoDaemon
}

func (g *gateway) Inputs(context.Context) (map[string]llb.State, error) { return nil, nil }

func (g *gateway) NewContainer(context.Context, client.NewContainerRequest) (client.Container, error) {
	return nil, errNoDaemon
}

func (g *gateway) Warn(context.Context, digest.Digest, string, client.WarnOpts) error { return nil }

// ignoreFile is a reference that holds a .dockerignore, or nothing.
type ignoreFile struct{ data []byte }

func (f ignoreFile) ToState() (llb.State, error)    { return llb.Scratch(), nil }
func (f ignoreFile) Evaluate(context.Context) error { return nil }

func (f ignoreFile) ReadFile(_ context.Context, req client.ReadRequest) ([]byte, error) {
	if f.data == nil {
		return nil, &fs.PathError{Op: "open", Path: req.Filename, Err: fs.ErrNotExist}
	}
	return f.data, nil
}

func (f ignoreFile) StatFile(_ context.Context, req client.StatRequest) (*fstypes.Stat, error) {
	if f.data == nil {
		return nil, &fs.PathError{Op: "stat", Path: req.Path, Err: fs.ErrNotExist}
	}
	return &fstypes.Stat{Path: req.Path, Size: int64(len(f.data))}, nil
}

func (f ignoreFile) ReadDir(context.Context, client.ReadDirRequest) ([]*fstypes.Stat, error) {
	return nil, nil
}
