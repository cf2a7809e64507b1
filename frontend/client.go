package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/attestations"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/solver/result"
	"github.com/moby/buildkit/util/flightcontrol"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// The clients here stand between BuildKit's Dockerfile frontend and the
// gateway. Each changes one thing and passes the rest through.

// remembering asks for an image's configuration once: facts and BuildKit's own
// lowering, of both texts, then see the same digest, and the build's progress
// shows one look-up.
type remembering struct {
	client.Client
	images flightcontrol.CachedGroup[resolved]

	mu      sync.Mutex
	configs map[string][]byte // by digest and platform
}

type resolved struct {
	ref    string
	digest digest.Digest
	config []byte
}

func (c *remembering) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	same := opt
	same.LogName = ""
	key, err := json.Marshal(same)
	if err != nil {
		return "", "", nil, fmt.Errorf("resolve %s: %w", ref, err)
	}
	r, err := c.images.Do(ctx, ref+" "+string(key), func(ctx context.Context) (resolved, error) {
		ref, dgst, config, err := c.Client.ResolveImageConfig(ctx, ref, opt)
		if err == nil && opt.ImageOpt != nil && opt.ImageOpt.Platform != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.configs == nil {
				c.configs = map[string][]byte{}
			}
			c.configs[dgst.String()+" "+platforms.FormatAll(*opt.ImageOpt.Platform)] = config
		}
		return resolved{ref, dgst, config}, err
	})
	return r.ref, r.digest, r.config, err
}

// byDigest is the configuration of an image that was resolved before; nil where
// none was. The reference has a digest.
func (c *remembering) byDigest(ref string, platform ocispec.Platform) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, dgst, _ := strings.Cut(ref, "@")
	return c.configs[dgst+" "+platforms.FormatAll(platform)]
}

// optioned has build options of its own.
type optioned struct {
	client.Client
	opts client.BuildOpts
}

// withOpts gives c a copy of its options, in which set, where it isn't nil, has
// made its changes. BuildKit's frontend writes to the options that it reads.
func withOpts(c client.Client, set func(opts map[string]string)) client.Client {
	opts := c.BuildOpts()
	opts.Opts = maps.Clone(opts.Opts)
	if opts.Opts == nil {
		opts.Opts = map[string]string{}
	}
	if set != nil {
		set(opts.Opts)
	}
	return &optioned{Client: c, opts: opts}
}

func (c *optioned) BuildOpts() client.BuildOpts { return c.opts }

// judging lets BuildKit's frontend lower a Dockerfile and builds nothing of it.
type judging struct {
	client.Client
	src []byte
}

// newJudging judges src as a build would. The image isn't made, and so isn't
// scanned.
func newJudging(c client.Client, src []byte) client.Client {
	return &judging{Client: withOpts(c, func(opts map[string]string) {
		for key := range attestations.Filter(opts) {
			delete(opts, key)
		}
		delete(opts, "requestid")
	}), src: src}
}

func (c *judging) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	if holds(req.Definition, c.src) {
		return client.NewResult(), nil
	}
	return c.Client.Solve(ctx, req)
}

// rewriting hands BuildKit's frontend the plan's text in place of the user's
// Dockerfile, and puts the user's lines back into what it asks to be built.
type rewriting struct {
	client.Client
	build *build
	plan  *plan
}

// checkArg is the option by which a build chooses BuildKit's checks.
const checkArg = "build-arg:BUILDKIT_DOCKERFILE_CHECK"

func newRewriting(b *build, c client.Client, p *plan) client.Client {
	return &rewriting{build: b, plan: p, Client: withOpts(c, func(opts map[string]string) {
		// The user's text has passed BuildKit's checks, or the build would have
		// failed by now; the rewritten text isn't the user's to answer for. A
		// Dockerfile that reads the argument must find what the user passed.
		if !bytes.Contains(p.src, []byte("BUILDKIT_DOCKERFILE_CHECK")) {
			opts[checkArg] = "skip=all"
		}
	})}
}

// Warn is silent: the warnings were those of the text as written.
func (c *rewriting) Warn(context.Context, digest.Digest, string, client.WarnOpts) error { return nil }

func (c *rewriting) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	if holds(req.Definition, c.plan.text) {
		c.build.guard(ctx, "messages name the lines of the rewritten Dockerfile", func() error {
			req.Definition = c.plan.restore(req.Definition)
			return nil
		})
	}
	res, err := c.Client.Solve(ctx, req)
	if err != nil {
		return nil, err
	}
	return result.ConvertResult(res, func(ref client.Reference) (client.Reference, error) {
		return &shown{Reference: ref, plan: c.plan}, nil
	})
}

// holds reports whether def was lowered from the Dockerfile text.
func holds(def *pb.Definition, text []byte) bool {
	for _, info := range def.GetSource().GetInfos() {
		if bytes.Equal(info.Data, text) {
			return true
		}
	}
	return false
}

// shown is a reference that shows the plan's text where the user's Dockerfile lies.
type shown struct {
	client.Reference
	plan *plan
}

// ReadFile compares what is read with the whole of the user's text: BuildKit's
// frontend passes a range that is longer than any Dockerfile.
func (r *shown) ReadFile(ctx context.Context, req client.ReadRequest) ([]byte, error) {
	data, err := r.Reference.ReadFile(ctx, req)
	if err != nil || !bytes.Equal(data, r.plan.src) {
		return data, err
	}
	if req.Range != nil && req.Range.Length > 0 && len(r.plan.text) > req.Range.Length {
		return r.plan.text[:req.Range.Length], nil
	}
	return r.plan.text, nil
}

// unwrap takes the references of this package out of a result: the gateway
// accepts only its own.
func unwrap(res *client.Result) (*client.Result, error) {
	return result.ConvertResult(res, func(ref client.Reference) (client.Reference, error) {
		if r, ok := ref.(*shown); ok {
			return r.Reference, nil
		}
		return ref, nil
	})
}
