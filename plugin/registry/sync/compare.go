package sync

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/imgmgr/imgmgr/plugin/distribution"
)

// Step is one tag of a job.
type Step struct {
	Repository string // of the source, without the host
	Target     string // of the destination, without the host
	Tag        string
	Digest     string // in the source
	Was        string // in the destination; "" where it isn't there
}

// Work is what a job comes to.
type Work struct {
	Job      *Job
	From, To *distribution.Registry
	Steps    []Step
	// Extra are tags that the destination has and the source doesn't, of those that
	// the job is about.
	Extra []Step
	// tags are all of the source, by repository: some lead to referrers.
	tags map[string][]string
}

// Compare lists both sides of a job.
func Compare(ctx context.Context, job *Job, from, to *distribution.Registry, progress func(done, known int)) (*Work, error) {
	var known []string
	if len(job.Repositories) > 0 {
		var err error
		if known, err = from.Repositories(ctx); err != nil {
			return nil, err
		}
	}
	pairs, err := job.pairs(known)
	if err != nil {
		return nil, err
	}
	w := &Work{Job: job, From: from, To: to, tags: map[string][]string{}}
	for _, p := range pairs {
		if err := w.list(ctx, p); err != nil {
			return nil, err
		}
	}
	return w, w.look(ctx, progress)
}

// list adds the tags of one repository.
func (w *Work) list(ctx context.Context, p pair) error {
	there, err := w.From.Tags(ctx, p.from)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has no repository %s; for those below it, name which ones with --repository, as '*'", w.From.Host(), p.from)
	}
	if err != nil {
		return fmt.Errorf("list what is to be copied: %w", err)
	}
	w.tags[p.from] = there
	for _, tag := range there {
		if w.Job.Selects(tag) {
			w.Steps = append(w.Steps, Step{Repository: p.from, Target: p.to, Tag: tag})
		}
	}
	if !w.Job.Delete {
		return nil
	}
	here, err := w.To.Tags(ctx, p.to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list what may be too much: %w", err)
	}
	for _, tag := range here {
		if w.Job.Selects(tag) && !slices.Contains(there, tag) {
			w.Extra = append(w.Extra, Step{Target: p.to, Tag: tag})
		}
	}
	return nil
}

// look asks where each tag leads on both sides.
func (w *Work) look(ctx context.Context, progress func(done, known int)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(w.From.Workers())
	var done atomic.Int64
	for i := range w.Steps {
		group.Go(func() error {
			s := &w.Steps[i]
			var err error
			if s.Digest, err = w.From.Digest(ctx, s.Repository, s.Tag); err == nil {
				s.Was, err = w.To.Digest(ctx, s.Target, s.Tag)
			}
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			progress(int(done.Add(1)), len(w.Steps))
			return err
		})
	}
	err := group.Wait()
	w.Steps = slices.DeleteFunc(w.Steps, func(s Step) bool { return s.Digest == "" }) // gone meanwhile
	return err
}
