package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// WithHadolintVariables is the configuration with what hadolint's environment
// variables add to it (its README, "Configure"): lists grow, and other values
// are replaced. lookup is os.LookupEnv or the like.
func (f *File) WithHadolintVariables(lookup func(name string) (string, bool)) (*File, error) {
	y := hadolint{
		NoFail:     truth(lookup, "HADOLINT_NOFAIL"),
		LabelsOnly: truth(lookup, "HADOLINT_STRICT_LABELS"),
		Deaf:       truth(lookup, "HADOLINT_DISABLE_IGNORE_PRAGMA"),
		Ignored:    elements(lookup, "HADOLINT_IGNORE"),
		// Its documentation has the one name, and its code the other.
		Registries: slices.Concat(elements(lookup, "HADOLINT_TRUSTED_REGISTRIES"), elements(lookup, "HADOLINT_ALLOWED_REGISTRIES")),
	}
	y.Threshold, _ = lookup("HADOLINT_FAILURE_THRESHOLD")
	y.Override.Error = elements(lookup, "HADOLINT_OVERRIDE_ERROR")
	y.Override.Warning = elements(lookup, "HADOLINT_OVERRIDE_WARNING")
	y.Override.Info = elements(lookup, "HADOLINT_OVERRIDE_INFO")
	y.Override.Style = elements(lookup, "HADOLINT_OVERRIDE_STYLE")
	for _, label := range elements(lookup, "HADOLINT_REQUIRE_LABELS") {
		if y.Labels == nil {
			y.Labels = map[string]string{}
		}
		name, kind, _ := strings.Cut(label, ":")
		y.Labels[name] = kind
	}
	own := *f
	own.Severities, own.Labels = maps.Clone(f.Severities), maps.Clone(f.Labels)
	own.Registries = slices.Clone(f.Registries)
	if err := y.into(&own); err != nil {
		return nil, fmt.Errorf("read hadolint's environment variables: %w", err)
	}
	return &own, nil
}

// truth is the value of a switch; nil where it isn't set.
func truth(lookup func(string) (string, bool), name string) *bool {
	value, ok := lookup(name)
	if !ok {
		return nil
	}
	on := slices.Contains([]string{"1", "y", "on", "true", "yes"}, strings.ToLower(value))
	return &on
}

// elements are those of a list with commas.
func elements(lookup func(string) (string, bool), name string) []string {
	value, _ := lookup(name)
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
}
