package analyze

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/containerd/platforms"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/plugin/analyze/budget"
	"github.com/imgmgr/imgmgr/plugin/analyze/compare"
	"github.com/imgmgr/imgmgr/plugin/analyze/format"
	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/analyze/tree"
	"github.com/imgmgr/imgmgr/plugin/analyze/tui"
	"github.com/imgmgr/imgmgr/plugin/folders"
	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/cache"
	"github.com/imgmgr/imgmgr/plugin/image/source"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// Options are the command line.
type Options struct {
	Image    string
	Platform string
	Format   Format
	TUI      bool // walk through it in a terminal, instead of a format
	Details  format.Details
	Limits   budget.Limits
	Budget   string // a file; "" for the one beside the Dockerfile, if there is one

	Compare    string // an older image
	From       string // the image that is updated
	Base       string // the base image
	Dockerfile string // a file
	Target     string // a stage of it
	Paths      string // a pattern, with or without a slash in front

	Prove Proving // what the repairs of the Dockerfile save

	Sources source.Options
	NoCache bool
	Quick   bool // don't look into files
}

// Format is how a report is printed.
type Format string

// Formats of reports.
const (
	Text     Format = "text"
	JSON     Format = "json"
	Markdown Format = "markdown"
	SARIF    Format = "sarif"
	HTML     Format = "html"
)

// formats are all of them, as the help lists them.
var formats = []string{string(Text), string(JSON), string(Markdown), string(SARIF), string(HTML)}

// Run analyzes an image as the options say. The error is a *ui.Exit with the
// code ui.Findings where a limit isn't met.
func Run(ctx context.Context, streams ui.Streams, o Options) error {
	defer lean()()
	if err := o.Limits.Check(o.Compare != ""); err != nil {
		return err
	}
	if o.TUI {
		if err := tui.Check(); err != nil {
			return err
		}
	}
	held, err := o.budget()
	if err != nil {
		return err
	}
	facts, err := o.facts(ctx)
	if err != nil {
		return err
	}
	img, r, err := o.analyze(ctx, streams, o.Image, facts)
	if err != nil {
		return err
	}
	if o.Compare != "" {
		old, was, err := o.analyze(ctx, streams, o.Compare, Facts{})
		if err != nil {
			return err
		}
		r.Comparison = compare.Images(img, old, r, was)
	}
	if o.Prove.Fix > lint.None {
		if r.Proof, err = o.prove(ctx, streams, platforms.Format(img.Platform)); err != nil {
			return fmt.Errorf("prove what the repairs save: %w", err)
		}
	}
	budget.Hold(r, o.Limits)
	if held != nil {
		held.Hold(r, img.Layers)
	}
	if err := o.print(ctx, streams, img, r); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	if !r.Passed() {
		return &ui.Exit{Code: ui.Findings}
	}
	return nil
}

// leanBytes is what the tables of a million files need, about. Up to there, garbage is
// collected when the heap has doubled, as always; from there on sooner.
const leanBytes = 280 << 20

// lean keeps a large image from taking twice the memory that it needs, until the function
// that it returns is called. A limit that the user set stays.
func lean() func() {
	if debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return func() {}
	}
	debug.SetMemoryLimit(leanBytes)
	return func() { debug.SetMemoryLimit(math.MaxInt64) }
}

func (o Options) print(ctx context.Context, streams ui.Streams, img *image.Image, r *report.Report) error {
	if o.TUI {
		return tui.Show(ctx, r, tree.Of(img.Layers, image.Stack(img.Layers)))
	}
	switch o.Format {
	case JSON:
		return format.JSON(streams.Out, r)
	case Markdown:
		return format.Markdown(streams.Out, r)
	case SARIF:
		return format.SARIF(streams.Out, r)
	case HTML:
		return format.HTML(streams.Out, r, tree.Of(img.Layers, image.Stack(img.Layers)))
	case Text:
	}
	return format.Text(streams.Out, r, o.Details)
}

// budget reads what the image is held to; nil for no file.
func (o Options) budget() (*budget.Budget, error) {
	name := o.Budget
	if name == "" {
		if o.Dockerfile == "" {
			return nil, nil
		}
		name = filepath.Join(filepath.Dir(o.Dockerfile), budget.FileName)
	}
	text, err := os.ReadFile(name)
	if o.Budget == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the budget: %w", err)
	}
	return budget.Parse(name, text, o.Target)
}

// facts reads what the user named beside the image.
func (o Options) facts(ctx context.Context) (f Facts, err error) {
	f.Target, f.Paths, f.Files = o.Target, strings.TrimPrefix(o.Paths, "/"), o.Details.Files
	if o.Dockerfile != "" {
		text, err := os.ReadFile(o.Dockerfile)
		if err != nil {
			return f, fmt.Errorf("read the Dockerfile: %w", err)
		}
		if f.Dockerfile, err = dockerfile.Parse(o.Dockerfile, text); err != nil {
			return f, err
		}
	}
	if f.Base, err = o.describe(ctx, o.Base); err != nil {
		return f, fmt.Errorf("base image: %w", err)
	}
	if f.From, err = o.describe(ctx, o.From); err != nil {
		return f, fmt.Errorf("image to update from: %w", err)
	}
	return f, nil
}

// describe reads an image without its layers; nil for "".
func (o Options) describe(ctx context.Context, arg string) (_ *image.Image, err error) {
	if arg == "" {
		return nil, nil
	}
	src, err := source.Open(ctx, arg, o.Sources)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	img, err := src.Read(ctx, o.Platform, nil)
	if err != nil {
		return nil, err
	}
	if img.Name == "" {
		img.Name = arg
	}
	return img, nil
}

// analyze reads an image and reports on it.
func (o Options) analyze(ctx context.Context, streams ui.Streams, arg string, f Facts) (_ *image.Image, _ *report.Report, err error) {
	src, err := source.Open(ctx, arg, o.Sources)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	bar := ui.NewProgress(streams.Err, "reading layers")
	defer bar.End()
	walker := Walker(o.cache(), o.Quick)
	walker.Progress = bar.ShowBytes
	img, err := src.Read(ctx, o.Platform, walker)
	if err != nil {
		return nil, nil, err
	}
	f.Source = src.String()
	if err := f.attested(ctx, img); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", arg, err)
	}
	if f.Base == nil && f.Dockerfile == nil && len(f.Provenance) == 0 {
		if f.Base = o.annotated(ctx, img); f.Base == nil {
			f.Base = o.known(ctx, f.Source, img)
		}
	}
	o.remember(img, f.Base)
	return img, Analyze(img, f), nil
}

// attested reads what is attached to an image.
func (f *Facts) attested(ctx context.Context, img *image.Image) error {
	into := map[string]*[][]byte{image.PredicateSLSA02: &f.Provenance, image.PredicateSLSA1: &f.Provenance, image.PredicateSPDX: &f.SBOM}
	for _, a := range img.Attestations {
		list := into[a.PredicateType]
		if list == nil {
			continue
		}
		statement, err := a.Statement(ctx)
		if err != nil {
			return fmt.Errorf("read the attestation %s: %w", a.PredicateType, err)
		}
		*list = append(*list, statement)
	}
	return nil
}

// cache is the user's. Without one, layers are read anew.
func (o Options) cache() image.Cache {
	if o.NoCache {
		return nil
	}
	dir, err := folders.Cache()
	if err != nil {
		return nil
	}
	tables, err := cache.Open(dir, cache.DefaultBytes)
	if err != nil {
		return nil
	}
	return tables
}
