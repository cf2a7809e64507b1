package frontend

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/facts"
)

const arm = "docker.io/library/debian:12@linux/arm64"

func TestImages(t *testing.T) {
	for _, tc := range []struct {
		name, dockerfile, ref, platform string
		opts                            map[string]string
		images                          map[string]string
		known                           bool
	}{
		{name: "the base", ref: "debian:12", known: true},
		{name: "by another name", ref: "docker.io/library/debian:12", known: true},
		{name: "for a platform", ref: "debian:12", platform: "linux/arm64", known: true},
		{name: "not there", dockerfile: "FROM gone:1", ref: "gone:1"},
		{name: "of a stage that isn't built", dockerfile: "FROM debian:13 AS x\nFROM debian:12", ref: "debian:13"},
		{name: "of a stage that is", dockerfile: "FROM debian:12 AS x\nFROM scratch\nCOPY --from=x / /", ref: "debian:12", known: true},
		{name: "no reference", ref: "NOT A REF"},
		{name: "replaced by a named context", ref: "debian:12", opts: map[string]string{"context:debian:12": "docker-image://other"}},
		{name: "the same on all platforms", ref: "debian:12", opts: map[string]string{"platform": "linux/amd64,linux/arm64"}, known: true},
		{
			name: "otherwise on one platform", ref: "debian:12",
			opts:   map[string]string{"platform": "linux/amd64,linux/arm64"},
			images: map[string]string{arm: strings.Replace(debianConfig, "PATH=", "HOME=", 1)},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.dockerfile == "" {
				tc.dockerfile = twoSteps
			}
			d := newDaemon(tc.dockerfile, tc.opts)
			d.images["docker.io/library/debian:13"] = debianConfig
			for ref, config := range tc.images {
				d.images[ref] = config
			}
			b := open(context.Background(), d, nil)
			image, err := b.facts(context.Background()).Images.Image(context.Background(), tc.ref, tc.platform)
			switch {
			case tc.known && err != nil:
				t.Error(err)
			case tc.known && (image.Digest == "" || len(image.Config.Config.Env) != 1):
				t.Errorf("it is %v", image)
			case !tc.known && !errors.Is(err, facts.ErrUnknown):
				t.Errorf("it is %v, %v", image, err)
			}
		})
	}
}

func TestABaseIsLookedUpOnce(t *testing.T) {
	d := newDaemon(twoSteps, nil)
	asks := planted("PlantedQuestion", func(p *lint.Pass) error {
		for range 3 {
			if _, err := p.Facts.Images.Image(p.Context, "debian:12", p.Facts.Platform); err != nil {
				return err
			}
		}
		return nil
	})
	runs(t, d, asks, hoistRule())
	if !slices.Equal(d.resolved, []string{"docker.io/library/debian:12@linux/amd64"}) {
		t.Errorf("looked up: %q", d.resolved)
	}
	requireNoWarnings(t, d)
}

func TestFacts(t *testing.T) {
	d := newDaemon(twoSteps, map[string]string{
		"target":                            "app",
		"build-arg:A":                       "1",
		"context:base::arm":                 "local:x",
		"context:other":                     "docker-image://debian:12",
		checkArg:                            "skip=all",
		"platform":                          "linux/arm64",
		"build-arg:BUILDKIT_CACHE_MOUNT_NS": "team",
	})
	fc := open(context.Background(), d, nil).facts(context.Background())
	if fc.Target != "app" || fc.Args["A"] != "1" || fc.Platform != "linux/arm64" || fc.CacheNamespace != "team" {
		t.Errorf("facts: %+v", fc)
	}
	if _, ok := fc.Named["base"]; !ok || len(fc.Named) != 2 {
		t.Errorf("named contexts: %v", fc.Named)
	}
	d.opts["platform"] = "linux/arm64,linux/amd64"
	if fc := open(context.Background(), d, nil).facts(context.Background()); fc.Platform != "" {
		t.Errorf("the platform of several is %q", fc.Platform)
	}
}
