// Package frontend is a BuildKit frontend that rewrites a Dockerfile before it
// is built, so that it builds faster and gives the same image.
//
// [Build] is a function over the gateway's client, as BuildKit's own frontend
// is. It reads the Dockerfile, gathers facts about the build, asks
// [lint.Rewrite] for the fixes that are proven, and then calls BuildKit's own
// builder.Build behind a client that hands it the rewritten text. What that
// frontend can do (several platforms, named contexts, secrets, provenance,
// cache imports) it does here.
//
// The text that the user wrote stays the measure:
//
//   - BuildKit's frontend lowers it first, and its warnings and errors are those
//     of the build ([build.asWritten]);
//   - every step, error and provenance record names the user's own lines
//     ([plan.restore]);
//   - a failure of this package costs one warning and builds it unchanged.
package frontend

import (
	"context"
	"errors"
	"fmt"

	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	lintrequest "github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/errdefs"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// Build builds what the client's options ask for, or answers their subrequest.
// Errors of the user's Dockerfile are BuildKit's own, with the user's lines.
func Build(ctx context.Context, c client.Client) (*client.Result, error) {
	return run(ctx, c, lint.Config{}.Rules(rules.All))
}

// run is Build with the given rules.
func run(ctx context.Context, c client.Client, all []*lint.Rule) (*client.Result, error) {
	b := open(ctx, c, all)
	if b == nil {
		return builder.Build(ctx, c)
	}
	switch b.opts["requestid"] {
	case "":
		return b.build(ctx)
	case RequestRewrite:
		return b.explain(ctx)
	case lintrequest.RequestLint:
		return b.check(ctx)
	case subrequests.RequestSubrequestsDescribe:
		return b.describe(ctx)
	}
	return builder.Build(ctx, c) // outline, targets: of the text as written
}

// build is one request to the frontend.
type build struct {
	gateway client.Client // as the daemon gave it
	client  *remembering  // what all else asks
	opts    map[string]string
	ui      *dockerui.Client
	src     *dockerui.Source
	file    *dockerfile.File // nil when the Dockerfile doesn't parse
	rules   []*lint.Rule
	on      lint.Switches
}

// open reads what every request needs. It returns nil where there is nothing
// for this package to do: the options or the Dockerfile can't be read, which
// BuildKit's frontend reports, or the Dockerfile's syntax line names another
// frontend, to which BuildKit's hands the build on.
func open(ctx context.Context, gateway client.Client, all []*lint.Rule) *build {
	c := &remembering{Client: gateway}
	ui, err := dockerui.NewClient(withOpts(c, nil))
	if err != nil {
		return nil
	}
	src, err := ui.ReadEntrypoint(ctx, "Dockerfile")
	if err != nil {
		return nil
	}
	b := &build{gateway: gateway, client: c, opts: c.BuildOpts().Opts, ui: ui, src: src, rules: all}
	if b.forwards() {
		return nil
	}
	b.guard(ctx, "the Dockerfile was not read", func() error {
		// An error is the user's: BuildKit reports it with its line.
		b.file, _ = dockerfile.Parse(src.Filename, src.Data)
		return nil
	})
	b.on = b.readSwitches(ctx)
	return b
}

// forwards reports whether BuildKit's frontend would hand the build to the
// frontend that the Dockerfile or a build argument names. A frontend that was
// itself started that way finds its own command line in the options.
func (b *build) forwards() bool {
	if _, ok := b.opts["cmdline"]; ok {
		return false
	}
	if _, ok := b.opts["build-arg:BUILDKIT_SYNTAX"]; ok {
		return true
	}
	_, _, _, ok := parser.DetectSyntax(b.src.Data)
	return ok
}

// build builds the image.
func (b *build) build(ctx context.Context) (*client.Result, error) {
	p := b.plan(ctx)
	scan := b.sbom(ctx)
	if p == nil {
		return b.lower(ctx, nil, scan)
	}
	if err := b.asWritten(ctx); err != nil {
		return nil, err
	}
	res, err := b.lower(ctx, p, scan)
	if err == nil || stepFailed(err) || ctx.Err() != nil {
		return res, err
	}
	// BuildKit accepts the text as written, but not the rewritten one.
	unchanged, again := b.lower(ctx, &plan{src: b.src.Data, text: b.src.Data}, scan)
	if again != nil {
		return nil, again
	}
	b.warn(ctx, fmt.Sprintf("imgmgr: BuildKit refused the rewritten Dockerfile, so it is built as written; please report this: %v", err))
	return unchanged, nil
}

// asWritten has BuildKit's frontend lower the text that the user wrote, without
// building it: its warnings are sent, its errors returned. So a rewrite can
// neither add a warning nor hide one, and every message has the right line.
func (b *build) asWritten(ctx context.Context) error {
	_, err := builder.Build(ctx, newJudging(b.client, b.src.Data))
	return err
}

// lower has BuildKit's frontend build the plan's text. Without a plan it builds
// the text as written and sends its warnings.
func (b *build) lower(ctx context.Context, p *plan, scan scan) (*client.Result, error) {
	c := withOpts(b.client, scan.set)
	if p != nil {
		c = newRewriting(b, c, p)
	}
	res, err := builder.Build(ctx, scan.inSteps(b, p, c))
	if err != nil {
		return nil, err
	}
	if res, err = unwrap(res); err != nil {
		return nil, fmt.Errorf("return the build's result: %w", err)
	}
	scan.mark(res)
	return res, nil
}

// stepFailed reports whether err comes from a step that BuildKit ran.
func stepFailed(err error) bool {
	var solve *errdefs.SolveError
	var vertex *errdefs.VertexError
	return errors.As(err, &solve) || errors.As(err, &vertex)
}

// guard runs a part of this package's own work. An error or a panic of it costs
// a warning; guard then returns false.
func (b *build) guard(ctx context.Context, cost string, work func() error) bool {
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		return work()
	}()
	if err != nil && ctx.Err() == nil {
		b.warn(ctx, fmt.Sprintf("imgmgr: %s: %v", cost, err))
	}
	return err == nil
}

// warn sends a warning about the Dockerfile. A daemon too old for warnings
// drops it.
func (b *build) warn(ctx context.Context, message string) {
	b.src.Warn(ctx, message, client.WarnOpts{Level: 1})
}
