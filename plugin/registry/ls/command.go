package ls

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/cli/cli/config"
	"github.com/spf13/cobra"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/registry/catalog"
	"github.com/imgmgr/imgmgr/plugin/registry/connect"
	"github.com/imgmgr/imgmgr/plugin/registry/table"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

const long = `List what a registry has.

Without a place, the registries that "docker login" knows. HOST lists its
repositories, HOST/PREFIX those below the prefix, and HOST/REPOSITORY the tags of
one; with --tags, or with a filter, the tags of all.

An index with its platforms is one image. Its size is what all platforms take in
the registry, each layer counted once. Signatures and SBOMs are not listed by
themselves: they belong to their image, and are counted in its column REFERRERS.
Dates that can't be true (1970, the future) are not shown.

It reads listings to the end, and fails if it can't: the exit code is 2, and the
rows that could be read are printed. Manifests are kept in a cache by digest, so
that a second time only tags are asked.`

const examples = `  docker imgmgr registry ls registry.example.com
  docker imgmgr registry ls registry.example.com/team/app --sort created
  docker imgmgr registry ls registry.example.com --filter older=90d --filter label=environment=development
  docker imgmgr registry ls registry.example.com/team --tags --format '{{.Repository}}@{{.Digest}}'`

type flags struct {
	connect.Flags
	format  string
	filters []string
	sort    string
	tags    bool
	quiet   bool
	noTrunc bool
}

// Command is the registry ls subcommand.
func Command(streams func() ui.Streams) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use: "ls [OPTIONS] [HOST[/REPOSITORY]]", Short: "List repositories, tags and images",
		Long: long, Example: examples, Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return f.logins(streams())
			}
			return f.run(cmd.Context(), streams(), args[0])
		},
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.BoolVar(&f.tags, "tags", false, "List the tags of all repositories")
	set.StringArrayVarP(&f.filters, "filter", "f", nil, filterHelp)
	set.StringVar(&f.sort, "sort", "name", "Sort tags by `WHAT`: name, created (newest first) or size (largest first); -created and so on turn it round")
	set.StringVar(&f.format, "format", "table", table.Help)
	set.BoolVarP(&f.quiet, "quiet", "q", false, "Print names alone")
	set.BoolVar(&f.noTrunc, "no-trunc", false, "Don't shorten digests and platforms")
	f.Register(cmd)
	return cmd
}

// logins lists the registries of the Docker CLI's configuration.
func (f *flags) logins(streams ui.Streams) error {
	type login struct{ Registry, Credentials string }
	file, err := config.Load("")
	if err != nil {
		return fmt.Errorf("read the Docker CLI's configuration: %w", err)
	}
	var rows []login
	for host := range file.AuthConfigs {
		store := "file " + file.Filename
		if file.CredentialsStore != "" {
			store = "store " + file.CredentialsStore
		}
		rows = append(rows, login{strings.TrimSuffix(strings.TrimPrefix(host, "https://"), "/v1/"), store})
	}
	for host, helper := range file.CredentialHelpers {
		rows = append(rows, login{host, "helper " + helper})
	}
	slices.SortFunc(rows, func(a, b login) int { return strings.Compare(a.Registry, b.Registry) })
	if len(rows) == 0 {
		fmt.Fprintln(streams.Err, "No registry is logged in to. Name one: docker imgmgr registry ls HOST")
		return nil
	}
	return table.Print(streams.Out, f.format, []table.Column[login]{
		{Title: "REGISTRY", Value: func(l login) string { return ui.Plain(l.Registry) }},
		{Title: "CREDENTIALS", Value: func(l login) string { return ui.Plain(l.Credentials) }},
	}, rows)
}

func (f *flags) run(ctx context.Context, streams ui.Streams, place string) error {
	now := time.Now()
	filter, err := ParseFilters(f.filters, now)
	if err != nil {
		return err
	}
	if orders()[strings.TrimPrefix(f.sort, "-")] == nil {
		return fmt.Errorf("--sort %s: use name, created or size", f.sort)
	}
	if f.format != "table" && f.format != "json" && f.quiet {
		return fmt.Errorf("--quiet prints names alone; leave out --format %s", f.format)
	}
	inv, err := f.Facts(ctx, streams, place, now)
	if err != nil {
		return err
	}
	if len(inv.Repositories) == 1 && empty(inv.Repositories[0]) {
		return fmt.Errorf("%s has no images: there is no such repository, it is empty, or it is hidden from these credentials", place)
	}
	repositories := catalog.Repositories(inv)
	if f.tags || len(f.filters) > 0 || oneRepository(inv, place) {
		rows := slices.DeleteFunc(Rows(repositories, now), func(r Row) bool { return !filter.Match(r) })
		Sort(rows, f.sort)
		err = f.printRows(streams.Out, rows, now)
	} else {
		err = f.printSummaries(streams.Out, Summaries(repositories, now), now)
	}
	if err != nil {
		return err
	}
	return connect.Whole(inv)
}

// oneRepository reports that the place is a repository, and nothing lies below it.
func oneRepository(inv *retention.Inventory, place string) bool {
	_, prefix, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(place, "https://"), "/"), "/")
	return len(inv.Repositories) == 1 && inv.Repositories[0].Name == prefix
}

func empty(r retention.Repository) bool {
	return r.Incomplete == "" && len(r.Tags)+len(r.Manifests) == 0
}
