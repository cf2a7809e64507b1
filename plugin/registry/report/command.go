package report

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/imgmgr/imgmgr/plugin/registry/connect"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

const long = `Report the images of a registry and what they take, in all and for each team,
environment and repository.

The team is the first part of a repository's name, or with --team what a label of
the image says; the environment is the label "environment", or another one. Each
layer is counted once: "of its own" are the bytes that no other team has, which
would be freed without it.

--format json starts as the image-report.json of home-made scripts does, with
total_images, total_size and images; html is one file with everything in it.`

const examples = `  docker imgmgr registry report registry.example.com
  docker imgmgr registry report --format json --output image-report.json registry.example.com
  docker imgmgr registry report --format html --output report.html --team com.example.team registry.example.com/apps`

type flags struct {
	connect.Flags
	Grouping
	format, output string
}

// formats are the ways to write a report.
func formats() map[string]func(io.Writer, *Report) error {
	return map[string]func(io.Writer, *Report) error{"text": writeText, "json": writeJSON, "markdown": writeMarkdown, "html": writeHTML}
}

// Command is the registry report subcommand.
func Command(streams func() ui.Streams) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use: "report [OPTIONS] HOST[/PREFIX]", Short: "Report what images take, by team and environment", Long: long, Example: examples,
		Args: connect.OneArg("a registry, as registry.example.com or registry.example.com/team"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), streams(), args[0])
		},
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&f.format, "format", "text", "Write in this `FORMAT`: text, json, markdown or html")
	set.StringVarP(&f.output, "output", "o", "", "Write to this `FILE` in place of standard output")
	set.StringVar(&f.Team, "team", "path", "`LABEL` that names the team, or path: the first part of the repository's name")
	set.StringVar(&f.Environment, "environment", "environment", "`LABEL` that names the environment")
	f.Register(cmd)
	return cmd
}

func (f *flags) run(ctx context.Context, streams ui.Streams, place string) error {
	write := formats()[f.format]
	if write == nil {
		return fmt.Errorf("unknown format %q: use --format %s", f.format, strings.Join(slices.Sorted(maps.Keys(formats())), ", "))
	}
	inv, err := f.Facts(ctx, streams, place, time.Now())
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := write(&text, Make(inv, f.Grouping)); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if f.output == "" {
		_, err = text.WriteTo(streams.Out)
	} else {
		err = os.WriteFile(f.output, text.Bytes(), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return connect.Whole(inv)
}
