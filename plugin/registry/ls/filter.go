package ls

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// Filter chooses rows. Filters of one name are alternatives, but for labels, of
// which all must hold; filters of different names must all hold.
type Filter map[string][]func(Row) bool

const filterHelp = "Only rows that match `FILTER`: repository=PATTERN, tag=PATTERN, label=KEY[=VALUE], platform=PATTERN, older=30d, newer=12h, larger=100MB, untagged=true, signed=false"

// ParseFilters reads filters as they were typed. Repositories are named without
// the registry's host. Ages count back from now.
func ParseFilters(texts []string, now time.Time) (Filter, error) {
	f := Filter{}
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok || value == "" {
			return nil, fmt.Errorf("--filter %s: want NAME=VALUE", text)
		}
		test, err := parseFilter(name, value, now)
		if err != nil {
			return nil, fmt.Errorf("--filter %s: %w", text, err)
		}
		f[name] = append(f[name], test)
	}
	return f, nil
}

func parseFilter(name, value string, now time.Time) (func(Row) bool, error) {
	switch name {
	case "repository", "tag", "platform":
		return parsePattern(name, value)
	case "label":
		key, want, exact := strings.Cut(value, "=")
		return func(r Row) bool {
			got, ok := r.Labels[key]
			return ok && (!exact || got == want)
		}, nil
	case "older", "newer":
		age, err := retention.ParseAge(value)
		return func(r Row) bool {
			return !r.Created.IsZero() && r.Created.Before(now.Add(-age)) == (name == "older")
		}, err
	case "larger":
		size, err := units.FromHumanSize(value)
		return func(r Row) bool { return int64(r.Size) > size }, err
	case "untagged", "signed":
		if value != "true" && value != "false" {
			return nil, fmt.Errorf("%s is true or false", name)
		}
		return func(r Row) bool {
			is := r.Tag == ""
			if name == "signed" {
				is = len(r.Referrers) > 0
			}
			return is == (value == "true")
		}, nil
	}
	return nil, fmt.Errorf("there is no filter %s: use repository, tag, label, platform, older, newer, larger, untagged or signed", name)
}

func parsePattern(name, value string) (func(Row) bool, error) {
	p, err := retention.ParsePattern(value)
	return func(r Row) bool {
		switch name {
		case "repository":
			_, repository, _ := strings.Cut(r.Repository, "/")
			return p.Match(repository)
		case "tag":
			return p.Match(r.Tag)
		}
		return slices.ContainsFunc(r.Platforms, p.Match)
	}, err
}

// Match reports that a row is chosen.
func (f Filter) Match(r Row) bool {
	for name, tests := range f {
		holds := func(test func(Row) bool) bool { return test(r) }
		if name == "label" {
			if slices.ContainsFunc(tests, func(test func(Row) bool) bool { return !test(r) }) {
				return false
			}
		} else if !slices.ContainsFunc(tests, holds) {
			return false
		}
	}
	return true
}
