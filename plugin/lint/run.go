package lint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/report"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// Run lints as the options say. The error is a *ui.Exit without a message where
// the report says all: code ui.Findings when a finding is at least as severe as
// FailOn or, with Diff, when there is something to change; ui.Failure when a
// file couldn't be checked, whatever was found in the others.
func Run(ctx context.Context, streams ui.Streams, o Options) error {
	// Nearly all that is made for a file is garbage with the next, and what stays
	// is small: a heap of four times its size costs little, and two thirds of the
	// collections.
	defer debug.SetGCPercent(debug.SetGCPercent(300))
	targets := find(ctx, &o)
	if err := o.check(targets); err != nil {
		return err
	}
	out := newPrinter(streams, o, targets)
	for result := range lintAll(ctx, streams.In, o, targets) {
		if err := out.add(result); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("stopped before all files were checked: %w", err)
	}
	if err := out.notes(); err != nil {
		return err
	}
	return out.finish()
}

// check refuses options that can't be followed.
func (o *Options) check(targets []target) error {
	stdin := slices.ContainsFunc(targets, func(t target) bool { return t.path == Stdin })
	switch {
	case o.Diff && o.whole() != nil:
		return fmt.Errorf("--diff prints a diff; leave out --format %s", o.Format)
	case o.Fragment && o.Fix > engine.None:
		return errors.New("--fragment only finds what is wrong: a fix may need the rest of the Dockerfile; leave out --fix and --diff")
	case stdin && o.Fix > engine.None && !o.Diff && o.whole() != nil:
		return fmt.Errorf("--fix writes the repaired Dockerfile of standard input to standard output; leave out --format %s", o.Format)
	case stdin && o.Fix > engine.None && !o.Diff && len(targets) > 1:
		return errors.New("--fix of standard input can't be mixed with files; run it by itself")
	}
	_, defined := o.sorted()
	switch {
	case len(defined) == 0 && len(o.Targets) > 1:
		return errors.New("a Dockerfile is built for one --target; several are for a bake or compose file, which --file names")
	case len(defined) == 0 && len(o.Set)+len(o.Vars) > 0:
		return errors.New("--set and --var are for a bake or compose file, which --file names")
	case len(defined) > 0 && o.Context != "":
		return fmt.Errorf("%s says what the build contexts are; leave out --context, or use --set TARGET.context=FOLDER", defined[0])
	case len(defined) > 0 && len(o.Named) > 0:
		return fmt.Errorf("%s says what the build contexts are; leave out --build-context, or use --set TARGET.contexts.NAME=PLACE", defined[0])
	case o.Context != "":
		return checkFolder(o.Context)
	}
	return nil
}

// whole is the format if it needs all files at once; nil for Text.
func (o *Options) whole() *report.Format {
	formats := report.Formats()
	if i := slices.IndexFunc(formats, func(f report.Format) bool { return f.Name == o.Format }); i >= 0 {
		return &formats[i]
	}
	return nil
}

// result is what linting one target gave.
type result struct {
	report.File
	failOn    engine.Severity // 0: no finding fails the run
	diff      string          // with Diff
	fixed     []byte          // of standard input, with Fix
	noContext bool            // the build context isn't known
}

// lintAll lints the targets side by side, and yields the results in order.
func lintAll(ctx context.Context, stdin io.Reader, o Options, targets []target) func(func(result) bool) {
	return func(yield func(result) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		conf := &settings{opts: o}
		done := make([]chan result, len(targets))
		for i := range done {
			done[i] = make(chan result, 1)
		}
		next := make(chan int)
		go func() {
			defer close(next)
			for i := range targets {
				select {
				case next <- i:
				case <-ctx.Done():
					return
				}
			}
		}()
		for range min(len(targets), o.atOnce()) {
			go func() {
				for i := range next {
					done[i] <- lintOne(ctx, stdin, o, conf, targets[i])
				}
			}()
		}
		for i := range done {
			select {
			case r := <-done[i]:
				if !yield(r) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// atOnce is how many files are linted side by side. With ShellCheck there are
// more than processors: most of them wait for it, and share its processes.
func (o Options) atOnce() int {
	if o.ShellCheck != nil {
		return 32 * runtime.GOMAXPROCS(0)
	}
	return runtime.GOMAXPROCS(0)
}

// printer puts results where the options want them.
type printer struct {
	opts    Options
	stdin   bool // standard output is for the repaired text of standard input
	out     io.Writer
	found   *report.Text // findings
	failed  *report.Text // what couldn't be checked
	files   []report.File
	rules   report.Rules
	summary report.Summary
	lost    []string // files whose build context isn't known
	code    int
}

func newPrinter(streams ui.Streams, o Options, targets []target) *printer {
	rules := report.Index(o.Rules)
	text := func(o ui.Output) *report.Text {
		return &report.Text{Out: o, Width: o.Width, Color: o.Color, Rules: rules}
	}
	p := &printer{opts: o, out: streams.Out, found: text(streams.Out), failed: text(streams.Err), rules: rules}
	if len(targets) == 1 && targets[0].path == Stdin && o.Fix > engine.None && !o.Diff {
		p.stdin, p.found = true, p.failed
	}
	return p
}

// add prints one file's result, or keeps it where the format needs all.
func (p *printer) add(r result) error {
	p.summary.Add(r.File)
	p.decide(r)
	if r.noContext {
		p.lost = append(p.lost, r.Path)
	}
	if p.opts.whole() != nil {
		p.files = append(p.files, r.File)
		return nil
	}
	if err := p.failed.Problems(r.File); err != nil {
		return err
	}
	switch {
	case p.opts.Diff:
		return p.found.Diff(r.diff)
	case p.stdin:
		if _, err := p.out.Write(r.fixed); err != nil {
			return fmt.Errorf("write the repaired Dockerfile: %w", err)
		}
	}
	return p.found.File(r.File)
}

// decide takes a file into the exit code.
func (p *printer) decide(r result) {
	switch {
	case len(r.Problems) > 0:
		p.code = ui.Failure
	case r.failOn == 0 || p.code == ui.Failure:
	case p.opts.Diff && r.diff != "":
		p.code = ui.Findings
	case !p.opts.Diff && slices.ContainsFunc(r.Findings, func(d engine.Diagnostic) bool { return d.Severity >= r.failOn }):
		p.code = ui.Findings
	}
}

// finish ends the report and gives the exit code.
func (p *printer) finish() error {
	var err error
	switch whole := p.opts.whole(); {
	case whole != nil:
		err = whole.Write(p.out, p.files, p.rules)
	case !p.opts.Diff:
		err = p.found.Summary(p.summary)
	}
	if err == nil && p.code != ui.Clean {
		err = &ui.Exit{Code: p.code}
	}
	return err
}
