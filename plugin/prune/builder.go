package prune

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/docker/cli/cli-plugins/metadata"
	"github.com/docker/cli/cli/connhelper/commandconn"
	"github.com/moby/buildkit/client"

	"github.com/imgmgr/imgmgr/plugin/prune/buildkit"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// openBuilder opens the cache of a builder of buildx, which docker knows how to
// reach, or of a BuildKit at an address.
func openBuilder(ctx context.Context, name string) (*buildkit.Cache, error) {
	var opts []client.ClientOpt
	address := name
	if !strings.Contains(name, "://") {
		docker := cmp.Or(os.Getenv(metadata.ReexecEnvvar), "docker")
		opts = append(opts, client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return commandconn.New(ctx, docker, "buildx", "dial-stdio", "--builder", name)
		}))
		address = ""
	}
	api, err := client.New(ctx, address, opts...)
	if err != nil {
		return nil, fmt.Errorf("connect to the builder %s: %w", name, err)
	}
	return buildkit.New(api, name), nil
}

// cachePolicy is what `docker buildx prune` does with these flags, as a policy:
// all that no build uses goes, but frontends, BuildKit's own records, and what
// images share go with --all alone. Ages are since the last use.
func (l *localFlags) cachePolicy(now time.Time) (*retention.Policy, error) {
	given, err := l.given()
	if err != nil {
		return nil, err
	}
	rule := retention.Rule{Name: "unused", MaxCount: -1}
	p := &retention.Policy{Name: "docker buildx prune", Age: retention.Used,
		Limits: retention.Limits{Share: 1, MinAge: retention.DefaultLimits().MinAge}}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		for _, value := range slices.Sorted(maps.Keys(given[name])) {
			switch name {
			case "until":
				if rule.MaxAge, err = until(value, now); err != nil {
					return nil, err
				}
			case "type", "description":
				rule.Select.Label = append(rule.Select.Label, labelled(name, value))
			default:
				return nil, fmt.Errorf("--filter %s=%s: of a build cache, want until, type or description; with --policy, rules can say more", name, value)
			}
		}
	}
	rule.Remove = rule.MaxAge == 0
	if !l.all {
		for _, label := range []retention.LabelPattern{labelled("type", "frontend"), labelled("type", "internal"), labelled("shared", "true")} {
			p.Rules = append(p.Rules, retention.Rule{Name: label.Name + " " + label.Value[0].String() + ", without --all", Keep: true, MaxCount: -1,
				Select: retention.Selector{Label: []retention.LabelPattern{label}}})
		}
	}
	p.Rules = append(p.Rules, rule)
	return p, nil
}

func labelled(name, value string) retention.LabelPattern {
	return retention.LabelPattern{Name: name, Value: []retention.Pattern{retention.Exactly(value)}}
}
