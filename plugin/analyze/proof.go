package analyze

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/plugin/analyze/prove"
	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/buildx"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/base"
	"github.com/imgmgr/imgmgr/plugin/image/source"
	"github.com/imgmgr/imgmgr/plugin/lint"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// Proving says how the repairs of a Dockerfile are proven. The Dockerfile itself is
// that of the options.
type Proving struct {
	// Fix is how safe the repairs have to be; None proves nothing.
	Fix     engine.Safety
	Rules   []*engine.Rule // all that there are; the configuration chooses among them
	Context string         // a folder; "" is the Dockerfile's
	Named   []string       // --build-context
	Args    []string       // --build-arg
	Flags   []string       // more of docker buildx build
	Builder string         // of buildx; "" is the current one
	Edit    string         // the file to edit before the rebuild; "" chooses one
	Today   time.Time      // for rules that ask for it
	Now     func() time.Time
}

// mostDifferences is how many paths a proof lists.
const mostDifferences = 50

// proof is one proof while it is made.
type proof struct {
	o       Options
	streams ui.Streams
	subject prove.Subject
	fixed   *engine.Rewritten
	context *lint.Context
	bench   *prove.Bench
	dir     string // for all that is written
	result  *report.Proof
	img     *image.Image // that the bench read last
}

// prove repairs the Dockerfile, builds it before and after, and compares.
func (o Options) prove(ctx context.Context, streams ui.Streams, platform string) (_ *report.Proof, err error) {
	p := &proof{o: o, streams: streams}
	if err := p.repair(ctx, platform); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.context.Close()) }()
	if len(p.fixed.Applied) == 0 {
		return p.result, nil
	}
	if p.dir, err = os.MkdirTemp("", "imgmgr-prove-"); err != nil {
		return nil, fmt.Errorf("make a folder for the builds: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(p.dir)) }()
	if err := p.open(ctx, platform); err != nil {
		return nil, err
	}
	if err := p.measure(ctx); err != nil {
		return nil, err
	}
	return p.result, nil
}

// repair makes the fixes, in memory.
func (p *proof) repair(ctx context.Context, platform string) (err error) {
	how, name := p.o.Prove, p.o.Dockerfile
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read the Dockerfile: %w", err)
	}
	p.subject.Target = p.o.Target
	if p.subject.Args, err = lint.ParseArgs(how.Args); err != nil {
		return err
	}
	named, err := lint.ParseContexts(how.Named)
	if err != nil {
		return err
	}
	dir := cmp.Or(how.Context, filepath.Dir(name))
	lints := lint.Options{Rules: how.Rules, Context: dir, Named: named, Args: p.subject.Args, Platform: platform, Today: how.Today, History: lint.NewHistory()}
	if p.o.Target != "" {
		lints.Targets = []string{p.o.Target}
	}
	if lints.Images, err = lint.NewImages(base.Network, true, platform, p.o.Sources.Mirrors); err != nil {
		return err
	}
	if p.subject.Written, err = dockerfile.Parse(name, text); err != nil {
		return err
	}
	if p.context, err = lint.OpenContext(dir, name); err != nil {
		return err
	}
	p.fixed, err = lint.Rewrite(ctx, lints, name, text, how.Fix)
	if err == nil {
		p.subject.Repaired, err = dockerfile.Parse(name, p.fixed.Src)
	}
	if err != nil {
		return errors.Join(err, p.context.Close())
	}
	p.result = &report.Proof{Dockerfile: name, Fixes: []report.Fixed{}, Differences: []report.PathChange{}, Config: []report.ConfigChange{}, Equal: true}
	return nil
}

// open finds the builder, and puts a copy of the build context on the bench.
func (p *proof) open(ctx context.Context, platform string) error {
	how := p.o.Prove
	builder := buildx.Builder(how.Builder)
	driver, err := builder.Driver(ctx)
	if err != nil {
		return err
	}
	p.result.Driver = driver
	p.result.Edited = how.Edit
	if how.Edit == "" {
		p.result.Edited = prove.Edited(ctx, p.subject, p.context.Files, p.context.Churn)
	}
	folder := filepath.Join(p.dir, "context")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return fmt.Errorf("make a folder for the build context: %w", err)
	}
	if err := prove.CopyContext(p.context.Files, p.context.Dir, folder); err != nil {
		return err
	}
	p.bench = &prove.Bench{
		Builder: builder, Driver: driver, Context: folder, Ignored: p.context.Ignored, Target: p.o.Target,
		Args: append([]string{"--platform", platform}, how.Flags...), Read: p.read, Now: how.Now,
		Open: func(ctx context.Context, ref string) (image.Source, error) {
			return source.Open(ctx, "engine:"+ref, p.o.Sources)
		},
	}
	for _, arg := range how.Args {
		p.bench.Args = append(p.bench.Args, "--build-arg", arg)
	}
	for _, named := range how.Named {
		p.bench.Args = append(p.bench.Args, "--build-context", named)
	}
	return nil
}

// read keeps the image that was built.
func (p *proof) read(ctx context.Context, src image.Source) (err error) {
	p.img, err = src.Read(ctx, "", Walker(p.o.cache(), false))
	return err
}

// measure builds one after the other, and holds the images against each other.
func (p *proof) measure(ctx context.Context) error {
	if err := p.fetch(ctx); err != nil {
		return err
	}
	before, beforeImage, err := p.side(ctx, "as it is written", p.subject.Written, nil)
	if err != nil {
		return err
	}
	after, afterImage, err := p.side(ctx, "as it is repaired", p.subject.Repaired, p.fixed.Map.Line)
	if err != nil {
		return err
	}
	p.result.Before, p.result.After = &before.Built, &after.Built
	for _, a := range p.fixed.Applied {
		line := prove.Start(p.subject.Written, a.Line)
		p.result.Fixes = append(p.result.Fixes, report.Fixed{
			Rule: a.Rule, Line: line, Message: a.Message, Safety: a.Safety.String(), Drops: append([]string{}, a.Drops...),
			BeforeBytes: before.lines[line], AfterBytes: after.lines[line],
		})
	}
	return p.judge(ctx, beforeImage, afterImage)
}

// built is one side of the comparison.
type built struct {
	report.Built
	lines map[int]int64 // bytes by line, see prove.Lines
}

// side builds a Dockerfile, edits the copy of the context and builds again, and gives
// the context back as it was.
func (p *proof) side(ctx context.Context, what string, f *dockerfile.File, back func(int) int) (b built, img *image.Image, err error) {
	t, err := p.bench.Try(p.dir, f.Name, f.Src)
	if err != nil {
		return b, nil, err
	}
	var seconds float64
	err = p.doing("build "+p.o.Dockerfile+" "+what, func() (err error) {
		seconds, err = t.Cold(ctx)
		return err
	})
	if err != nil {
		return b, nil, err
	}
	img = p.img
	r := Analyze(img, Facts{Dockerfile: f, Target: p.o.Target})
	b.Built = report.Built{
		ShippedBytes: r.Totals.ShippedBytes, LiveBytes: r.Totals.LiveBytes, DeadBytes: r.Totals.DeadBytes, CompressedBytes: r.Totals.CompressedBytes,
		BuildSeconds: seconds, RebuildSteps: []string{},
	}
	b.lines = prove.Lines(p.subject.Written, r, back)
	if p.result.Edited == "" {
		return b, img, nil
	}
	undo, err := prove.Edit(p.bench.Context, p.result.Edited)
	if err != nil {
		return b, nil, err
	}
	err = p.doing("build "+p.o.Dockerfile+" "+what+", after an edit of "+p.result.Edited, func() (err error) {
		b.RebuildSeconds, b.RebuildSteps, err = t.Again(ctx)
		return err
	})
	return b, img, errors.Join(err, undo())
}

// judge says whether both images are the same. Where more differs than the fixes say,
// the Dockerfile as it is written is built once more, to see what differs anyway.
func (p *proof) judge(ctx context.Context, before, after *image.Image) error {
	drops := p.fixed.Drops()
	v := prove.Judge(before, nil, after, drops)
	if !v.Equal() {
		t, err := p.bench.Try(p.dir, p.subject.Written.Name, p.subject.Written.Src)
		if err == nil {
			err = p.doing("build "+p.o.Dockerfile+" as it is written once more, to see what differs between any two builds", func() error {
				_, err := t.Cold(ctx)
				return err
			})
		}
		if err != nil {
			return err
		}
		v = prove.Judge(before, p.img, after, drops)
	}
	r := p.result
	r.Equal, r.DroppedPaths, r.DroppedBytes, r.NoisePaths, r.Config = v.Equal(), v.DroppedPaths, v.DroppedBytes, v.NoisePaths, v.Config
	slices.SortStableFunc(v.Differences, func(a, b report.PathChange) int { return cmp.Compare(max(b.Bytes, -b.Bytes), max(a.Bytes, -a.Bytes)) })
	r.Different, r.Differences = len(v.Differences), v.Differences[:min(mostDifferences, len(v.Differences))]
	return nil
}

// fetch has the builder get what the builds start from.
func (p *proof) fetch(ctx context.Context) error {
	t, err := p.bench.Try(p.dir, p.o.Dockerfile, []byte(prove.Bases(p.subject)))
	if err != nil {
		return err
	}
	return p.doing("fetch what "+p.o.Dockerfile+" starts from", func() error {
		t.Fetch(ctx)
		return ctx.Err()
	})
}

// doing says what is done, and which step of the build runs. A failure shows the step
// that failed.
func (p *proof) doing(what string, build func() error) error {
	fmt.Fprintln(p.streams.Err, what)
	bar := ui.NewProgress(p.streams.Err, "  ")
	p.bench.Step = bar.ShowStep
	err := build()
	bar.End()
	if err == nil {
		return nil
	}
	if failed, ok := errors.AsType[*buildx.Failed](err); ok && failed.Step() != "" {
		return fmt.Errorf("%s: %w\n%s", what, failed.Err, failed.Step())
	}
	return fmt.Errorf("%s: %w", what, err)
}
