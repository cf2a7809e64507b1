package prune

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/docker/cli/cli/command"
	cliflags "github.com/docker/cli/cli/flags"
	"github.com/moby/moby/client"

	"github.com/imgmgr/imgmgr/plugin/prune/engine"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// localFlags are those of `docker image prune`.
type localFlags struct {
	all     bool
	filters []string
}

// dockerCLI is the user's Docker CLI: its context, and its configuration.
func dockerCLI() (*command.DockerCli, error) {
	cli, err := command.NewDockerCli()
	if err == nil {
		err = cli.Initialize(cliflags.NewClientOptions())
	}
	if err != nil {
		return nil, fmt.Errorf("read the Docker CLI's configuration: %w", err)
	}
	return cli, nil
}

// policy is what `docker image prune` does with these flags, as a policy: images
// without a name, or with --all everything that no container uses.
func (l *localFlags) policy(now time.Time) (*retention.Policy, error) {
	given, err := l.given()
	if err != nil {
		return nil, err
	}
	cli, err := dockerCLI()
	if err != nil {
		return nil, err
	}
	return localPolicy(l.all, command.PruneFilters(cli, given), now)
}

// given are the filters as they were typed.
func (l *localFlags) given() (client.Filters, error) {
	given := client.Filters{}
	for _, f := range l.filters {
		name, value, ok := strings.Cut(f, "=")
		if !ok {
			return nil, fmt.Errorf("--filter %s: want NAME=VALUE", f)
		}
		given = given.Add(name, value)
	}
	return given, nil
}

func localPolicy(all bool, filters client.Filters, now time.Time) (*retention.Policy, error) {
	rule := retention.Rule{Name: "dangling", MaxCount: -1}
	p := &retention.Policy{Name: "docker image prune", Age: retention.Created,
		Limits: retention.Limits{Share: 1, MinAge: retention.DefaultLimits().MinAge}}
	for _, name := range slices.Sorted(maps.Keys(filters)) {
		for _, value := range slices.Sorted(maps.Keys(filters[name])) {
			key, want, hasValue := strings.Cut(value, "=")
			label := retention.LabelPattern{Name: key}
			if hasValue {
				label.Value = []retention.Pattern{retention.Exactly(want)}
			}
			switch name {
			case "until":
				age, err := until(value, now)
				if err != nil {
					return nil, err
				}
				rule.MaxAge = age
			case "label":
				rule.Select.Label = append(rule.Select.Label, label)
			case "label!":
				p.Rules = append(p.Rules, retention.Rule{Name: "label!=" + value, Keep: true, MaxCount: -1, Select: retention.Selector{Label: []retention.LabelPattern{label}}})
			case "reference":
				pattern, err := retention.ParsePattern(value)
				if err != nil {
					return nil, fmt.Errorf("--filter reference=%s: %w", value, err)
				}
				rule.Select.Reference = append(rule.Select.Reference, pattern)
			case "dangling":
				all = all || value == "false" || value == "0"
			default:
				return nil, fmt.Errorf("--filter %s=%s: want until, label, label!, reference or dangling", name, value)
			}
		}
	}
	if all {
		rule.Name = "unused"
	} else {
		rule.Select.Untagged = true
		rule.Select.Repository = []retention.Pattern{retention.Exactly(engine.Unnamed)}
	}
	rule.Remove = rule.MaxAge == 0
	p.Rules = append(p.Rules, rule)
	return p, nil
}

// until reads a length of time, or a date, as `docker image prune` does.
func until(value string, now time.Time) (time.Duration, error) {
	if age, err := retention.ParseAge(value); err == nil {
		return age, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, value); err == nil {
			return now.Sub(t), nil
		}
	}
	return 0, fmt.Errorf("--filter until=%s: want a time such as 24h, 30d or 2026-03-01", value)
}
