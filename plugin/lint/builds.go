package lint

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	engine "github.com/imgmgr/imgmgr/lint"
)

// check notes what is found in the file by any of its builds, each finding once.
func (r *result) check(ctx context.Context, s *subject) {
	builds := s.target.builds
	seen := map[string][]string{} // the builds in which a finding was made
	for _, b := range builds {
		for _, d := range r.checkOne(ctx, s, b) {
			if seen[key(d)] == nil {
				r.Findings = append(r.Findings, d)
			}
			seen[key(d)] = append(seen[key(d)], b.name)
		}
	}
	if len(builds) == 1 {
		return
	}
	shared := map[string]*engine.Fix{} // what is right for all builds
	for _, d := range r.checkOne(ctx, s, common(builds)) {
		shared[key(d)] = d.Fix
	}
	for i, d := range r.Findings {
		d.Fix = shared[key(d)]
		if in := seen[key(d)]; len(in) < len(builds) {
			d.Evidence = append(slices.Clone(d.Evidence), engine.Evidence{What: "only in", Says: strings.Join(in, ", ")})
		}
		r.Findings[i] = d
	}
	slices.SortStableFunc(r.Findings, func(a, b engine.Diagnostic) int { return cmp.Compare(a.Start, b.Start) })
}

// key is the same for findings that say the same.
func key(d engine.Diagnostic) string {
	return fmt.Sprintf("%d %d %s %s", d.Start, d.End, d.Rule, d.Message)
}

func (r *result) checkOne(ctx context.Context, s *subject, b build) []engine.Diagnostic {
	world := r.world(s, b)
	defer world.close()
	found, err := engine.Check(ctx, s.file, world.facts, s.rules)
	r.problem(err)
	return found
}

// rewrite makes the fixes that are right for every build. Those that are build-safe
// are for imgmgr's own frontend.
func (r *result) rewrite(ctx context.Context, s *subject, rules []*engine.Rule, floor engine.Safety) (*engine.Rewritten, error) {
	world := r.world(s, common(s.target.builds))
	defer world.close()
	world.facts.NewestSyntax = floor == engine.BuildSafe
	return engine.Rewrite(ctx, r.Path, r.Src, world.facts, rules, floor)
}

// world gathers the facts of a build; what can't be had becomes a problem.
func (r *result) world(s *subject, b build) *world {
	w, err := openWorld(s.opts, s.target, b, s.file)
	r.problem(err)
	r.noContext = r.noContext || w.facts.Files == nil
	return w
}
