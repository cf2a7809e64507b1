//go:build linux

// Command bench measures rebuilds: of Dockerfiles as people write them, built by
// BuildKit's own frontend and by ours, and of the Dockerfiles that an expert
// would write by hand. It is what `make bench-rebuild` runs.
//
// Each round of a project takes its arms in turn, on one BuildKit, through the
// same scenarios: a cold build, the same again, an edit of a source file, of the
// manifest, and of the Dockerfile's end. An arm has a copy of the project, edits
// and cache mounts of its own, so no arm finds what another has built; base
// images are unpacked before the clock starts. Wall seconds of a busy machine
// say little: CPU seconds, those of buildkitd and of the build's containers,
// are counted by a control group.
//
// What was measured is kept in .cache/bench, by the state of the code that it
// measures, so a run that was cut short goes on where it was. The pages below
// docs are written from all that is there once that is every project.
//
//	project.go   the projects, and how their files are edited
//	measure.go   the arms, and one round of a project
//	extras.go    what is measured apart: a no-op, and a context of 1 GB
//	sbom.go      and the SBOM, beside that of a plain scanner
//	record.go    what was measured, kept in a file
//	summary.go   medians, and what they say about the aims (pure)
//	page.go      docs/rebuild.md (pure)
//	chart.go     docs/rebuild.svg (pure)
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

type options struct {
	projects []string // empty: all
	rounds   int
}

// Where the pages are written, from the checkout's folder.
const (
	pagePath  = "docs/rebuild.md"
	chartPath = "docs/rebuild.svg"
)

func run(ctx context.Context, opts options, out, progress io.Writer) error {
	chosen, err := choose(opts.projects)
	if err != nil {
		return err
	}
	st, err := openStore(filepath.Join(".cache", "bench"))
	if err != nil {
		return err
	}
	b := &bench{store: st, progress: progress}
	defer b.close()
	for round := range opts.rounds {
		for _, p := range chosen {
			if err := b.once(ctx, p.Name, round, func() ([]record, error) { return b.round(ctx, p, round) }); err != nil {
				return err
			}
		}
	}
	for name, extra := range map[string]func(context.Context) ([]record, error){noopExtra: b.noop, contextExtra: b.context, sbomExtra: b.scans} {
		if len(opts.projects) > 0 && !slices.Contains(opts.projects, name) {
			continue
		}
		if err := b.once(ctx, name, 0, func() ([]record, error) { return extra(ctx) }); err != nil {
			return err
		}
	}
	return write(ctx, b.store, out)
}

// write writes the pages, or prints what there is as long as a project wasn't
// measured: pages with less in them than those before would be no gain.
func write(ctx context.Context, st *store, out io.Writer) error {
	about, err := describe(ctx)
	if err != nil {
		return err
	}
	s := summarize(projects(), st.records)
	if len(s.missing) > 0 {
		_, err := fmt.Fprint(out, page(about, s))
		return err
	}
	if err := os.WriteFile(filepath.FromSlash(pagePath), []byte(page(about, s)), 0o644); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	if err := os.WriteFile(filepath.FromSlash(chartPath), []byte(chart(about, s)), 0o644); err != nil {
		return fmt.Errorf("write the chart: %w", err)
	}
	fmt.Fprintf(out, "%s and %s are written\n", pagePath, chartPath)
	return nil
}

// choose finds the projects of these names; no name means all. Extras have
// names too.
func choose(names []string) ([]project, error) {
	all := projects()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []project
	for _, name := range names {
		i := slices.IndexFunc(all, func(p project) bool { return p.Name == name })
		switch {
		case i >= 0:
			chosen = append(chosen, all[i])
		case name != noopExtra && name != contextExtra && name != sbomExtra:
			var known []string
			for _, p := range all {
				known = append(known, p.Name)
			}
			return nil, fmt.Errorf("there is no project %q: choose of %s, %s, %s and %s", name, strings.Join(known, ", "), noopExtra, contextExtra, sbomExtra)
		}
	}
	return chosen, nil
}

// bench is what the measurements share. The sandbox starts with the first of
// them: a run that has all figures needs none.
type bench struct {
	store    *store
	progress io.Writer
	sb       *sandbox.Sandbox
	upstream string // the image of BuildKit's own frontend
	ours     string
}

// once measures what isn't in the store yet.
func (b *bench) once(ctx context.Context, name string, round int, measure func() ([]record, error)) error {
	if b.store.has(name, round) {
		return nil
	}
	if err := b.start(ctx); err != nil {
		return err
	}
	fmt.Fprintf(b.progress, "... %s, round %d\n", name, round+1)
	records, err := measure()
	if err != nil {
		return fmt.Errorf("measure %s: %w", name, err)
	}
	for i := range records {
		records[i].Project, records[i].Round = name, round
	}
	return b.store.add(records)
}

func (b *bench) start(ctx context.Context) (err error) {
	if b.sb != nil {
		return nil
	}
	if b.sb, err = sandbox.Start(ctx, sandbox.Options{Log: b.progress}); err != nil {
		return err
	}
	if b.upstream, err = b.sb.UpstreamFrontend(ctx); err != nil {
		return err
	}
	if b.ours, err = b.sb.Frontend(ctx); err != nil {
		return err
	}
	// The frontends' images, and the scanner, are unpacked by their first use.
	for _, a := range b.arms() {
		req := sandbox.BuildRequest{Frontend: a.frontend, Dockerfile: []byte("FROM busybox\nRUN true\n"), BuildArgs: a.args, Push: b.sb.Registry + "/bench-warm"}
		if _, err := b.sb.Build(ctx, req); err != nil {
			return fmt.Errorf("start %s: %w", a.name, err)
		}
	}
	return nil
}

func (b *bench) close() {
	if b.sb != nil {
		b.sb.Close()
	}
}

// about dates the figures.
type about struct {
	buildkit string // its version
	date     time.Time
	cores    int
}

func describe(ctx context.Context) (about, error) {
	version, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", "github.com/moby/buildkit").Output()
	if err != nil {
		return about{}, fmt.Errorf("ask for BuildKit's version: %w", err)
	}
	return about{buildkit: strings.TrimSpace(string(version)), date: time.Now(), cores: runtime.NumCPU()}, nil
}
