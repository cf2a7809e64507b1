package sync

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

const long = `Copy repositories from one registry to another, straight, without an engine.

SOURCE and DESTINATION are repositories; with --repository they are registries or
prefixes, and each repository below SOURCE that matches is copied to the same name
below DESTINATION. All tags are copied, or those of --tag and --semver, with all
platforms, attestations, signatures, SBOMs and other referrers.

What is there already is not sent: layers that another repository of the
destination has got in this run are mounted, and a run that was interrupted is
finished by running it again. Everything is checked by its digest. A registry that
asks for patience (429, Retry-After) gets it.

--delete removes tags that SOURCE doesn't have, of those that the command is about.
That is a plan of prune: it is shown, asked for, written into a journal, stops
before it would take more than half of a repository, and "prune undo" gives it back.

--file takes many copies from a YAML file; see docs/registry.md.

The exit code is 0 if all was copied, 1 if something was left out or removals were
stopped, and 2 for failures. A tag that fails doesn't stop the others.`

const examples = `  docker imgmgr registry sync registry.example.com/team/app mirror.example.com/team/app
  docker imgmgr registry sync --semver '>=1.2' --delete registry.example.com/team/app mirror.example.com/team/app
  docker imgmgr registry sync --repository 'team/*' --platform linux/amd64 registry.example.com mirror.example.com
  docker imgmgr registry sync --file sync.yaml --force`

type flags struct {
	prune.CarryOut
	entry
	file             string
	withoutReferrers bool
	share            string
	insecure         []string
	quiet            bool
}

// Command is the registry sync subcommand.
func Command(streams func() ui.Streams) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use: "sync [OPTIONS] SOURCE DESTINATION", Short: "Copy repositories between registries", Long: long, Example: examples,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.file != "" && len(args) > 0 {
				return errors.New("--file says what is copied; leave out SOURCE and DESTINATION")
			}
			if f.file == "" && len(args) != 2 {
				return fmt.Errorf("want SOURCE and DESTINATION, or --file; see '%s --help'", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			jobs, err := f.jobs(args)
			if err != nil {
				return err
			}
			return f.run(cmd.Context(), streams(), jobs)
		},
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&f.file, "file", "", "Take copies from a YAML `FILE`")
	set.StringArrayVar(&f.entry.Repositories, "repository", nil, "Copy repositories below SOURCE that match `PATTERN`")
	set.StringArrayVar(&f.entry.Tags, "tag", nil, "Copy tags that match `PATTERN`")
	set.StringArrayVar(&f.entry.Exclude, "exclude", nil, "Don't copy tags that match `PATTERN`")
	set.StringVar(&f.entry.Semver, "semver", "", "Copy tags that are versions in `RANGE`, as '>=1.2 <2'")
	set.StringArrayVar(&f.entry.Platforms, "platform", nil, "Copy images for `PLATFORM` alone; an index becomes another one, whose signatures stay behind")
	set.BoolVar(&f.withoutReferrers, "no-referrers", false, "Leave signatures, SBOMs and other referrers behind")
	set.BoolVar(&f.entry.Delete, "delete", false, "Remove tags from DESTINATION that SOURCE doesn't have")
	set.StringVar(&f.share, "max-share", "50%", "Remove up to this `PERCENT` of a repository's images")
	f.CarryOut.Register(cmd)
	set.BoolVarP(&f.quiet, "quiet", "q", false, "Print the summary alone")
	set.IntVar(&f.CarryOut.Jobs, "jobs", 16, "Requests at one time, of each registry")
	set.StringArrayVar(&f.insecure, "insecure", nil, "Allow plain HTTP and certificates that can't be verified for `HOST`")
	return cmd
}

// jobs are those of the file, or the one of the command line.
func (f *flags) jobs(args []string) ([]Job, error) {
	if f.file == "" {
		referrers := !f.withoutReferrers
		f.entry.From, f.entry.To, f.entry.Referrers = args[0], args[1], &referrers
		job, err := f.entry.job()
		return []Job{job}, err
	}
	if e := f.entry; len(e.Repositories)+len(e.Tags)+len(e.Exclude)+len(e.Platforms) > 0 || e.Semver != "" || e.Delete {
		return nil, errors.New("--file says what is copied; leave out --repository, --tag, --exclude, --semver, --platform and --delete")
	}
	text, err := os.ReadFile(f.file)
	if err != nil {
		return nil, fmt.Errorf("read what to copy: %w", err)
	}
	return ParseFile(f.file, text)
}

func (f *flags) limit() (float64, error) {
	share, err := retention.ParsePercent(f.share)
	if err != nil {
		return 0, fmt.Errorf("--max-share %w", err)
	}
	return share, nil
}
