//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
)

// record is one build.
type record struct {
	Project, Arm, Scenario string
	Round                  int
	Wall, CPU              float64 // seconds
	Sent                   int64   // bytes of the build context
	Image                  int64   // bytes that a pull of the image transfers
}

// figure is the median of an arm's builds in one scenario; the zero value has
// no build behind it.
type figure struct {
	Builds      int
	Wall, CPU   float64 // seconds
	Sent, Image int64   // bytes
}

// row is one project in one scenario, by arm.
type row struct {
	project
	arms map[string]figure
}

// table is one scenario.
type table struct {
	scenario string
	rows     []row
}

// summary is what the records tell.
type summary struct {
	tables  []table // one for each scenario
	noop    table   // of the extra, by project
	context []row   // of the extra, by scenario
	scans   []row   // of the extra, by scenario
	aims    []aim
	missing []string // names of projects that weren't measured
	rounds  int      // so often each of the others was
}

// aim is something that was set out for, and where it was missed.
type aim struct {
	text   string
	judged int // figures that were held to it
	misses []string
}

func summarize(all []project, records []record) summary {
	var s summary
	for _, scenario := range []string{cold, unchanged, source, manifest, late} {
		t := table{scenario: scenario}
		for _, p := range all {
			if r := rowOf(p, scenario, records); len(r.arms) > 0 {
				t.rows = append(t.rows, r)
			}
		}
		s.tables = append(s.tables, t)
	}
	s.missing, s.rounds = coverage(all, records)
	byName := func(name string) project {
		return all[slices.IndexFunc(all, func(p project) bool { return p.Name == name })]
	}
	for _, name := range noopProjects() {
		if r := rowOf(project{Name: noopExtra}, name, records); len(r.arms) > 0 {
			r.project = byName(name)
			s.noop.rows = append(s.noop.rows, r)
		}
	}
	for _, scenario := range []string{cold, unchanged, source} {
		if r := rowOf(project{Name: contextExtra}, scenario, records); len(r.arms) > 0 {
			r.Title = scenario
			s.context = append(s.context, r)
		}
	}
	for _, scenario := range []string{cold, source} {
		if r := rowOf(project{Name: sbomExtra}, scenario, records); len(r.arms) > 0 {
			r.Title = scenario
			s.scans = append(s.scans, r)
		}
	}
	s.aims = []aim{s.savings(), s.neverSlower(), s.noopAim(), s.sbomAim()}
	return s
}

// coverage tells which projects have no records, and how many rounds each of
// the others has at least.
func coverage(all []project, records []record) (missing []string, rounds int) {
	for _, p := range all {
		n := 0
		for _, r := range records {
			if r.Project == p.Name {
				n = max(n, r.Round+1)
			}
		}
		switch {
		case n == 0:
			missing = append(missing, p.Name)
		case rounds == 0:
			rounds = n
		default:
			rounds = min(rounds, n)
		}
	}
	return missing, rounds
}

func rowOf(p project, scenario string, records []record) row {
	byArm := map[string][]record{}
	for _, r := range records {
		if r.Project == p.Name && r.Scenario == scenario {
			byArm[r.Arm] = append(byArm[r.Arm], r)
		}
	}
	r := row{project: p, arms: map[string]figure{}}
	for arm, list := range byArm {
		r.arms[arm] = figure{
			Builds: len(list),
			Wall:   median(list, func(r record) float64 { return r.Wall }),
			CPU:    median(list, func(r record) float64 { return r.CPU }),
			Sent:   median(list, func(r record) int64 { return r.Sent }),
			Image:  median(list, func(r record) int64 { return r.Image }),
		}
	}
	return r
}

// median is the middle one, of an even number the mean of the two.
func median[R any, T int64 | float64](list []R, of func(R) T) T {
	values := make([]T, len(list))
	for i, r := range list {
		values[i] = of(r)
	}
	return middle(values)
}

func middle[T int64 | float64](values []T) T {
	if len(values) == 0 {
		return 0
	}
	slices.SortFunc(values, func(a, b T) int { return cmp.Compare(a, b) })
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// atLeast is the CPU time, in seconds, below which a difference says nothing.
const atLeast = 0.3

// share is how much of the CPU time that the expert saves ours saves too; !ok
// where the expert saves less than a tenth.
func (r row) share() (part float64, ok bool) {
	plain, ours, best := r.arms[armUpstream].CPU, r.arms[armOurs].CPU, r.arms[armExpert].CPU
	saved := plain - best
	if saved < atLeast || saved < plain/10 {
		return 0, false
	}
	return (plain - ours) / saved, true
}

// speedup is the median, over a scenario's projects that can gain, of upstream's
// seconds by the arm's.
func (t table) speedup(arm string, of func(figure) float64) float64 {
	var ratios []float64
	for _, r := range t.rows {
		if !r.Control && of(r.arms[arm]) > 0 {
			ratios = append(ratios, of(r.arms[armUpstream])/of(r.arms[arm]))
		}
	}
	return middle(ratios)
}

func wall(f figure) float64 { return f.Wall }
func cpu(f figure) float64  { return f.CPU }

func (s summary) savings() aim {
	a := aim{text: "In each rebuild, at least 90 % of the CPU time that the expert saves."}
	for _, t := range s.tables {
		for _, r := range t.rows {
			part, ok := r.share()
			if !ok || t.scenario == cold {
				continue
			}
			a.judged++
			if part < 0.9 {
				a.misses = append(a.misses, fmt.Sprintf("%s, %s: %.0f %%", r.Name, t.scenario, 100*part))
			}
		}
	}
	return a
}

func (s summary) neverSlower() aim {
	a := aim{text: fmt.Sprintf("Nowhere more than 5 %% of CPU time over BuildKit's own frontend (differences below %.1f s not counted).", atLeast)}
	for _, t := range s.tables {
		for _, r := range t.rows {
			plain, ours := r.arms[armUpstream].CPU, r.arms[armOurs].CPU
			a.judged++
			if ours > 1.05*plain && ours-plain >= atLeast {
				a.misses = append(a.misses, fmt.Sprintf("%s, %s: %.1f s against %.1f s", r.Name, t.scenario, ours, plain))
			}
		}
	}
	return a
}

func (s summary) noopAim() aim {
	a := aim{text: "A build in which nothing changed within 100 ms of BuildKit's own frontend used as an image, the SBOM included."}
	for _, r := range s.noop.rows {
		for _, arm := range []string{armOurs, armSBOM} {
			a.judged++
			if more := r.arms[arm].Wall - r.arms[armUpstream].Wall; more > 0.1 {
				a.misses = append(a.misses, fmt.Sprintf("%s, %s: %.0f ms more", r.Name, arm, 1000*more))
			}
		}
	}
	return a
}

// scanned is the CPU time, in seconds, that an arm's SBOM takes in the extra: what
// its build takes more than the same without one.
func (r row) scanned(arm string) float64 { return r.arms[arm].CPU - r.arms[armUpstream].CPU }

func (s summary) sbomAim() aim {
	a := aim{text: "An SBOM for no more CPU time than a plain scanner takes, scanned whole or in the frontend's own steps."}
	for _, r := range s.scans {
		for _, arm := range []string{armWhole, armSBOM} {
			a.judged++
			if ours, plain := r.scanned(arm), r.scanned(armPlain); ours > plain {
				a.misses = append(a.misses, fmt.Sprintf("%s, %s: %.1f s against %.1f s", r.Title, arm, ours, plain))
			}
		}
	}
	return a
}
