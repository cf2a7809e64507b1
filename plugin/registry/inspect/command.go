package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/imgmgr/imgmgr/plugin/registry/connect"
	"github.com/imgmgr/imgmgr/plugin/registry/table"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

const long = `Show all that a registry knows of an image, without pulling it: the index, its
platforms with their configuration and layers, attestations, annotations, and what
refers to it, by the referrers API or by a tag, as cosign's signatures.`

const examples = `  docker imgmgr registry inspect registry.example.com/team/app:1.2
  docker imgmgr registry inspect --format '{{range .Platforms}}{{.Platform}} {{.Digest}}{{"\n"}}{{end}}' registry.example.com/team/app:1.2
  docker imgmgr registry inspect --raw registry.example.com/team/app:1.2`

type flags struct {
	connect.Flags
	format string
	raw    bool
}

// Command is the registry inspect subcommand.
func Command(streams func() ui.Streams) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use: "inspect [OPTIONS] IMAGE", Short: "Show the index, platforms, layers and signatures of an image",
		Long: long, Example: examples, Args: connect.OneArg("an image in a registry, as registry.example.com/team/app:1.2"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), streams(), args[0])
		},
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&f.format, "format", "text", "Print in this `FORMAT`: text, json or a Go template, as '{{.Digest}}'")
	set.BoolVar(&f.raw, "raw", false, "Print the manifest's bytes as the registry has them")
	f.Register(cmd)
	return cmd
}

func (f *flags) run(ctx context.Context, streams ui.Streams, arg string) error {
	if f.format != "text" && f.format != "json" {
		if err := table.Check[Report](f.format); err != nil {
			return err
		}
	}
	ref, err := connect.ParseRef(arg)
	if err != nil {
		return err
	}
	registry, _, err := f.Open(ref.Host)
	if err != nil {
		return err
	}
	digest := ref.Digest
	if digest == "" {
		if digest, err = registry.Digest(ctx, ref.Repository, ref.Tag); err != nil {
			return fmt.Errorf("inspect %s: %w", arg, err)
		}
	}
	if f.raw {
		content, err := registry.Content(ctx, ref.Repository, "manifests", digest)
		if err == nil {
			_, err = streams.Out.Write(content)
		}
		return err
	}
	report, err := Read(ctx, registry, ref.Repository, digest)
	if err != nil {
		return fmt.Errorf("inspect %s: %w", arg, err)
	}
	report.Reference = ref.String()
	switch f.format {
	case "text":
		return printText(streams.Out, report)
	case "json":
		enc := json.NewEncoder(streams.Out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	}
	return table.Print(streams.Out, f.format, nil, []Report{*report})
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
