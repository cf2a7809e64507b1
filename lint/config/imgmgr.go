package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/imgmgr/imgmgr/lint"
)

// own is .imgmgr.yaml.
type own struct {
	Edition    int               `yaml:"edition"`
	Profile    string            `yaml:"profile"`
	FailOn     string            `yaml:"fail-on"`
	Rules      map[string]string `yaml:"rules"`
	Registries []string          `yaml:"registries"`
	Labels     map[string]string `yaml:"labels"`
	LabelsOnly bool              `yaml:"labels-only"`
	Comments   *bool             `yaml:"ignore-comments"`
	Overrides  []struct {
		Paths []string          `yaml:"paths"`
		Rules map[string]string `yaml:"rules"`
	} `yaml:"overrides"`
}

func readOwn(data []byte) (*File, error) {
	var y own
	if err := decode(data, &y); err != nil {
		return nil, err
	}
	if y.Edition != 0 && (y.Edition < lint.FirstEdition || y.Edition > lint.LatestEdition) {
		return nil, fmt.Errorf("there is no edition %d in this version of imgmgr: use %d", y.Edition, lint.LatestEdition)
	}
	f := &File{Config: lint.Config{Edition: y.Edition, Registries: y.Registries, Labels: y.Labels, LabelsOnly: y.LabelsOnly}}
	f.Deaf = y.Comments != nil && !*y.Comments
	var err error
	if f.Profiled = y.Profile != ""; f.Profiled {
		if f.Profile, err = lint.ParseProfile(y.Profile); err != nil {
			return nil, err
		}
	}
	if f.Severities, err = severityOf(y.Rules); err != nil {
		return nil, err
	}
	if y.FailOn != "" {
		if f.FailOn, err = threshold(strings.Replace(y.FailOn, "never", "off", 1)); err != nil {
			return nil, fmt.Errorf("fail-on: %w", err)
		}
	}
	for _, o := range y.Overrides {
		severities, err := severityOf(o.Rules)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(o.Paths, func(p string) bool { return !doublestar.ValidatePattern(p) }); i >= 0 || len(o.Paths) == 0 {
			return nil, fmt.Errorf("an override has to name paths, each a pattern such as test/**: %q", o.Paths)
		}
		f.Overrides = append(f.Overrides, Override{Paths: o.Paths, Severities: severities})
	}
	return f, checkLabels(f.Labels)
}

func severityOf(rules map[string]string) (map[string]lint.Severity, error) {
	severities := map[string]lint.Severity{}
	for name, level := range rules {
		s, err := ParseSeverity(level)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", name, err)
		}
		severities[strings.ToLower(name)] = s
	}
	return severities, nil
}

func threshold(level string) (*lint.Severity, error) {
	s, err := ParseSeverity(level)
	return &s, err
}

// LabelKinds are the kinds of values that a label can be asked to have.
func LabelKinds() []string {
	return []string{"text", "url", "rfc3339", "spdx", "hash", "semver", "email"}
}

func checkLabels(labels map[string]string) error {
	for name, kind := range labels {
		if !slices.Contains(LabelKinds(), kind) {
			return fmt.Errorf("label %s: unknown kind of value %q: use one of %s", name, kind, strings.Join(LabelKinds(), ", "))
		}
	}
	return nil
}
