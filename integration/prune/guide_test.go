//go:build linux

package prune_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/imgmgr/imgmgr/plugin/prune/registry"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// build is an image of the guide's registry.
type build struct {
	tag, environment string
	created          time.Time
}

// keeps is one policy of the guide: a pattern of tags or an environment, days, a
// number of images, and whether the newest stays in any case.
type keeps struct {
	tags        *regexp.Regexp
	environment string
	days, most  int
	latest      bool
}

// The guide's policies as its scripts have them: those of image-lifecycle-manager.py,
// and of enterprise-image-manager.py.
var (
	byBranch = []keeps{
		{regexp.MustCompile(`^feature-`), "", 7, 10, true},
		{regexp.MustCompile(`^main-`), "", 30, 50, true},
		{regexp.MustCompile(`^v\d+\.\d+\.\d+$`), "", 365, 100, true},
	}
	byEnvironment = []keeps{
		{nil, "development", 7, 10, false}, {nil, "staging", 30, 50, false}, {nil, "production", 365, 100, false},
	}
)

// goes says what the guide's scripts would remove.
func goes(builds []build, policies []keeps, at time.Time) (tags []string) {
	newest := slices.SortedFunc(slices.Values(builds), func(a, b build) int { return b.created.Compare(a.created) })
	for _, p := range policies {
		rank := 0
		for _, b := range newest {
			if p.tags != nil && !p.tags.MatchString(b.tag) || p.environment != "" && b.environment != p.environment {
				continue
			}
			old := b.created.Before(at.AddDate(0, 0, -p.days))
			if (old || rank >= p.most) && !(p.latest && rank == 0) {
				tags = append(tags, b.tag)
			}
			rank++
		}
	}
	slices.Sort(tags)
	return tags
}

// guideBuilds are more than each policy lets stay, by age and by number.
func (s seeder) guideBuilds(repository string, at time.Time) (builds []build) {
	add := func(tag, environment string, hours float64) {
		b := build{tag, environment, at.Add(-time.Duration(hours * float64(time.Hour)))}
		img, err := mutate.CreatedAt(s.image(repository+tag, 0, map[string]string{"environment": environment}, "amd64"), v1.Time{Time: b.created})
		s.must(err)
		s.push(img, repository+":"+tag)
		builds = append(builds, b)
	}
	for i := range 15 {
		add(fmt.Sprintf("feature-%d", i), "development", 12*float64(i)+2)
	}
	add("feature-old", "development", 24*20)
	for i := range 54 {
		add(fmt.Sprintf("main-%d", i), "staging", 12*float64(i)+2)
	}
	add("main-old", "staging", 24*31)
	for i := range 7 {
		add(fmt.Sprintf("v1.%d.0", i), "production", 24*70*float64(i)+2)
	}
	return builds
}

// The guide's own policies, its table of environments and its sync, as a new user
// runs them: what goes is what its scripts would remove, computed by their way.
func TestTheGuideAsANewUser(t *testing.T) {
	plugin := program(t)
	policies, err := filepath.Abs(filepath.Join("..", "..", "examples", "policies"))
	if err != nil {
		t.Fatal(err)
	}
	onEachKind(t, func(t *testing.T, s seeder) {
		home, began := t.TempDir(), time.Now()
		run := func(args ...string) string {
			t.Helper()
			cmd := exec.CommandContext(t.Context(), plugin, args...)
			cmd.Dir, cmd.Env = home, append(os.Environ(), "XDG_STATE_HOME="+home, "XDG_CACHE_HOME="+home)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %v\n%s", args, err, out)
			}
			return string(out)
		}
		builds := s.guideBuilds("team/app", began)
		whole := s.inventory()
		for file, table := range map[string][]keeps{"branches.yaml": byBranch, "environments.yaml": byEnvironment} {
			args := []string{"prune", "--registry", s.host, "--policy", filepath.Join(policies, file)}
			p, err := retention.ReadPlan([]byte(run(append(args, "--dry-run", "--format", "json")...)))
			s.must(err)
			want := goes(builds, table, began)
			if got := removedTags(p); !slices.Equal(got, want) || len(want) < 10 {
				t.Errorf("%s removes %v, the guide %v", file, got, want)
			}
			run(append(args, "--force")...)
			s.untouched(p, whole)
			tags, err := open(t, s.host, registry.Options{}).Tags(t.Context(), s.host+"/team/app")
			s.must(err)
			if len(tags) != len(builds)-len(want) {
				t.Errorf("%s: %d tags are left of %d, and %d were to go", file, len(tags), len(builds), len(want))
			}
			if out := run("prune", "undo"); !strings.Contains(out, fmt.Sprintf("Gave back %d manifests", len(want))) {
				t.Errorf("undo says %s", out)
			}
			s.untouched(&retention.Plan{}, whole)
		}
		// sync_images(source, target, ["team/app"]).
		target, err := kinds[1].start(t.Context(), memory(t))
		s.must(err)
		if out := run("registry", "sync", "--quiet", "--repository", "team/app", s.host, target); !strings.HasPrefix(out, fmt.Sprintf("%d tags: %[1]d copied. ", len(builds))) {
			t.Errorf("sync says %s", out)
		}
		seeder{t, target}.untouched(&retention.Plan{}, whole)
	})
}
