package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imgmgr/imgmgr/plugin/distribution"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/registry/connect"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// runner is one run of the command.
type runner struct {
	*flags
	streams    ui.Streams
	share      float64
	registries map[string]*distribution.Registry // by host
	blobs      map[*distribution.Registry]*blobs

	counts Counts
	tags   map[Done]int
	failed int
	stop   bool // a plan of removals was not carried out in full
}

// run does one job after the other; one that fails doesn't stop the others.
func (f *flags) run(ctx context.Context, streams ui.Streams, jobs []Job) error {
	share, err := f.limit()
	if err != nil {
		return err
	}
	r := &runner{flags: f, streams: streams, share: share, registries: map[string]*distribution.Registry{}, blobs: map[*distribution.Registry]*blobs{}, tags: map[Done]int{}}
	var failed []error
	for i := range jobs {
		err := r.job(ctx, &jobs[i])
		if exit, ok := errors.AsType[*ui.Exit](err); ok && exit.Err == nil {
			r.stop = r.stop || exit.Code == ui.Findings
			if exit.Code == ui.Failure {
				r.failed++
			}
		} else if err != nil {
			failed = append(failed, fmt.Errorf("%s to %s: %w", jobs[i].From, jobs[i].To, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	r.summary()
	switch {
	case len(failed) > 0:
		return errors.Join(failed...)
	case r.failed > 0:
		return &ui.Exit{Code: ui.Failure}
	case r.stop:
		return &ui.Exit{Code: ui.Findings}
	}
	return nil
}

func (r *runner) job(ctx context.Context, job *Job) error {
	from, err := r.open(job.From)
	if err != nil {
		return err
	}
	to, err := r.open(job.To)
	if err != nil {
		return err
	}
	bar := ui.NewProgress(r.streams.Err, "comparing tags")
	work, err := Compare(ctx, job, from, to, bar.Show)
	bar.End()
	if err != nil {
		return err
	}
	if r.DryRun {
		r.show(work)
	} else if failures := r.copy(ctx, work); failures > 0 {
		r.failed += failures
		return nil // what is too much may be all that is left
	}
	if len(work.Extra) == 0 {
		return nil
	}
	return r.remove(ctx, work)
}

// open names the registry of a place; each is opened once, so that its limit of
// requests holds for the whole run.
func (r *runner) open(place string) (*distribution.Registry, error) {
	host, _, err := distribution.SplitPlace(place)
	if err != nil {
		return nil, err
	}
	if known := r.registries[host]; known != nil {
		return known, nil
	}
	reg, _, err := r.connection(host).Open(host)
	r.registries[host] = reg
	return reg, err
}

func (r *runner) connection(host string) *connect.Flags {
	return &connect.Flags{Jobs: r.Jobs, Insecure: slices.Contains(r.insecure, host)}
}

// copy does the steps of a job, several at a time, and returns how many failed.
func (r *runner) copy(ctx context.Context, work *Work) (failures int) {
	bar := ui.NewProgress(r.streams.Err, "copying tags")
	defer bar.End()
	if r.blobs[work.To] == nil {
		r.blobs[work.To] = &blobs{places: map[string]*where{}}
	}
	c := newCopier(work, &r.counts, r.blobs[work.To])
	var mu sync.Mutex
	finished := 0
	var group errgroup.Group
	group.SetLimit(max(1, r.Jobs/2))
	for _, s := range work.Steps {
		group.Go(func() error {
			done, err := c.step(ctx, s)
			mu.Lock()
			defer mu.Unlock()
			finished++
			bar.End()
			if err != nil {
				failures++
				fmt.Fprintf(r.streams.Err, "failed   %s: %v\n", work.target(s), err)
			} else {
				r.tags[done]++
				r.tell(work, s, done)
			}
			bar.Show(finished, len(work.Steps))
			return nil
		})
	}
	return failures + count(group.Wait())
}

func count(err error) int {
	if err != nil {
		return 1
	}
	return 0
}

// target is where a step leads, as it is pulled.
func (w *Work) target(s Step) string { return w.To.Host() + "/" + s.Target + ":" + s.Tag }

func (r *runner) tell(work *Work, s Step, done Done) {
	switch {
	case r.quiet || done == Same:
	case done == Moved:
		fmt.Fprintf(r.streams.Out, "moved    %s, which led to %s\n", work.target(s), s.Was)
	case done == Skipped:
		fmt.Fprintf(r.streams.Out, "skipped  %s: %s\n", work.target(s), errOtherPlatforms)
	default:
		fmt.Fprintf(r.streams.Out, "copied   %s\n", work.target(s))
	}
}

// show prints what a job would do. With platforms, what is copied has another digest
// than its source, and only copying can tell.
func (r *runner) show(work *Work) {
	for _, s := range work.Steps {
		switch {
		case s.Was == "":
			r.tags[Copied]++
			fmt.Fprintf(r.streams.Out, "copy     %s\n", work.target(s))
		case s.Was == s.Digest:
			r.tags[Same]++
		case len(work.Job.Platforms) > 0:
			fmt.Fprintf(r.streams.Out, "compare  %s\n", work.target(s))
		default:
			r.tags[Moved]++
			fmt.Fprintf(r.streams.Out, "move     %s, which leads to %s\n", work.target(s), s.Was)
		}
	}
}

// remove plans to remove what the destination has too much, and does so as prune
// does.
func (r *runner) remove(ctx context.Context, work *Work) error {
	var names []retention.Name
	var repositories []string
	for _, s := range work.Extra {
		names = append(names, retention.Name{Repository: s.Target, Tag: s.Tag})
		repositories = append(repositories, s.Target)
	}
	slices.Sort(repositories)
	inv, err := r.connection(work.To.Host()).Facts(ctx, r.streams, work.To.Host(), time.Now(), slices.Compact(repositories)...)
	if err != nil {
		return err
	}
	retention.SeenNow(inv)
	policy := retention.Named("sync --delete", "not in "+strings.TrimPrefix(work.Job.From, "https://"), names)
	policy.Limits.Share, policy.Limits.KeepLast = r.share, true
	plan := retention.Make(inv, policy)
	how := r.CarryOut
	how.Insecure = slices.Contains(r.insecure, work.To.Host())
	return how.Do(ctx, r.streams, plan)
}

func (r *runner) summary() {
	all := r.failed
	for _, n := range r.tags {
		all += n
	}
	var parts []string
	for _, d := range []Done{Copied, Moved, Same, Skipped} {
		if n := r.tags[d]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, r.word(d)))
		}
	}
	if r.failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", r.failed))
	}
	if all == 0 {
		return
	}
	text := ui.Count(all, "tag")
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if r.DryRun {
		fmt.Fprintf(r.streams.Out, "%s; nothing was changed.\n", text)
		return
	}
	fmt.Fprintf(r.streams.Out, "%s. Sent %s, mounted %s, wrote %s and %s.\n", text, ui.Size(r.counts.Sent.Load()),
		ui.Size(r.counts.Mounted.Load()), ui.Count(int(r.counts.Manifests.Load()), "manifest"), ui.Count(int(r.counts.Referrers.Load()), "referrer"))
}

// word is what is said of tags: they were copied, or would be.
func (r *runner) word(d Done) string {
	switch {
	case r.DryRun && d == Copied:
		return "to copy"
	case r.DryRun && d == Moved:
		return "to move"
	}
	return string(d)
}
