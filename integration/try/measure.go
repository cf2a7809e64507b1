//go:build linux

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// arm is one of the two frontends that are compared.
type arm struct {
	title    string
	frontend string // "": BuildKit's own
	first    *sandbox.BuildResult
	rebuild  *sandbox.BuildResult
	bytes    int64 // of the image in the registry, compressed
}

// measure builds the project with both frontends, edits one source file, and
// builds it again.
func (t *tour) measure(ctx context.Context) error {
	t.title("3. Build, edit " + source + ", build again")
	t.say("making the frontend's image")
	frontend, err := t.sb.Frontend(ctx)
	if err != nil {
		return err
	}
	arms := []*arm{{title: "BuildKit's own frontend"}, {title: "imgmgr frontend", frontend: frontend}}
	for i, a := range arms {
		if err := t.both(ctx, a, fmt.Sprintf("%s/try-%d", t.sb.Registry, i)); err != nil {
			return err
		}
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "\tfirst build\trebuild\timage")
	for _, a := range arms {
		fmt.Fprintf(w, "%s\t%s\t%s\t%.1f MB\n", a.title, seconds(a.first.Wall), seconds(a.rebuild.Wall), float64(a.bytes)/1e6)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	plain, ours := arms[0].rebuild.Wall, arms[1].rebuild.Wall
	fmt.Fprintf(t.out, "\nThe rebuild after an edit takes %.0f %% of the time. `make test` proves the images equal, but for package caches.\n", 100*ours.Seconds()/plain.Seconds())
	return t.sbom(ctx, t.sb.Registry+"/try-1")
}

func (t *tour) both(ctx context.Context, a *arm, ref string) (err error) {
	t.say("%s: first build", a.title)
	// Bases are pulled and unpacked before the clock starts, for both alike.
	if a.first, err = t.timed(ctx, a, ref); err != nil {
		return err
	}
	if err := t.edit(a.title); err != nil {
		return err
	}
	t.say("%s: rebuild after an edit", a.title)
	if a.rebuild, err = t.timed(ctx, a, ref); err != nil {
		return err
	}
	a.bytes, err = sandbox.ImageBytes(ctx, ref)
	return err
}

func (t *tour) timed(ctx context.Context, a *arm, ref string) (*sandbox.BuildResult, error) {
	res, err := t.sb.Build(ctx, sandbox.BuildRequest{Context: t.dir, Frontend: a.frontend, Push: ref, Attests: sandbox.BuildxAttests()})
	if err != nil {
		return nil, fmt.Errorf("build %s with %s: %w", project, a.title, err)
	}
	return res, nil
}

// edit changes the source as a developer would.
func (t *tour) edit(why string) error {
	f, err := os.OpenFile(filepath.Join(t.dir, source), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f, "// edited for: %s\n", why); err != nil {
		return err
	}
	return f.Close()
}

// sbom prints what the image's SBOM lists.
func (t *tour) sbom(ctx context.Context, ref string) error {
	t.title("4. The SBOM that the build attached")
	packages, err := t.sb.SBOM(ctx, ref)
	if err != nil {
		return err
	}
	kinds := map[string][]string{}
	for _, p := range packages {
		kinds[p.Kind] = append(kinds[p.Kind], p.Name+" "+p.Version)
	}
	fmt.Fprintf(t.out, "%d packages\n", len(packages))
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		some := kinds[kind]
		slices.Sort(some)
		fmt.Fprintf(t.out, "  %4d %-6s %s, …\n", len(some), kind, strings.Join(some[:min(3, len(some))], ", "))
	}
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
