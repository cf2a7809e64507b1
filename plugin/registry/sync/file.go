package sync

import (
	"fmt"

	"github.com/Masterminds/semver/v3"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// entry is a job as it is written.
type entry struct {
	From         string   `yaml:"from"`
	To           string   `yaml:"to"`
	Repositories []string `yaml:"repositories"`
	Tags         []string `yaml:"tags"`
	Exclude      []string `yaml:"exclude"`
	Semver       string   `yaml:"semver"`
	Platforms    []string `yaml:"platforms"`
	Referrers    *bool    `yaml:"referrers"`
	Delete       bool     `yaml:"delete"`
}

// ParseFile reads a YAML file of many jobs.
func ParseFile(name string, text []byte) ([]Job, error) {
	var file struct {
		Version int     `yaml:"version"`
		Syncs   []entry `yaml:"syncs"`
	}
	if err := ui.ReadYAML(name, text, &file); err != nil {
		return nil, err
	}
	if file.Version != 1 || len(file.Syncs) == 0 {
		return nil, fmt.Errorf("read %s: want \"version: 1\" and a list of \"syncs\"; see docs/registry.md", name)
	}
	var jobs []Job
	for i, e := range file.Syncs {
		job, err := e.job()
		if err != nil {
			return nil, fmt.Errorf("read %s: sync %d: %w", name, i+1, err)
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

// job reads patterns and ranges.
func (e entry) job() (Job, error) {
	j := Job{From: e.From, To: e.To, Platforms: e.Platforms, Delete: e.Delete, WithoutReferrers: e.Referrers != nil && !*e.Referrers}
	for _, list := range []struct {
		texts []string
		to    *[]retention.Pattern
	}{{e.Repositories, &j.Repositories}, {e.Tags, &j.Tags}, {e.Exclude, &j.Exclude}} {
		for _, text := range list.texts {
			p, err := retention.ParsePattern(text)
			if err != nil {
				return j, err
			}
			*list.to = append(*list.to, p)
		}
	}
	if e.Semver != "" {
		var err error
		if j.Semver, err = semver.NewConstraint(e.Semver); err != nil {
			return j, fmt.Errorf("%q is no range of versions, as \">=1.2 <2\": %w", e.Semver, err)
		}
	}
	return j, j.Check()
}
