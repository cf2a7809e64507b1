package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imgmgr/imgmgr/plugin/registry/connect"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

const long = `Say what a registry can do, and what that means for prune and sync.

It pushes a few test images of some hundred bytes to a scratch repository
(--scratch) and to one below it, tries to list, mount, delete and restore them, and
takes them away. Some registries go on listing the empty repository. --read-only
looks at what is there and writes nothing; less is found out then. Where nothing can
be deleted, nothing is written either.

The exit code is 1 if something is missing that prune needs, and 2 for failures.`

const examples = `  docker imgmgr registry doctor registry.example.com
  docker imgmgr registry doctor --read-only registry.example.com
  docker imgmgr registry doctor --scratch team/doctor registry.example.com`

// DefaultScratch is the repository that is written to where none is named.
const DefaultScratch = "imgmgr-doctor"

type flags struct {
	connect.Flags
	scratch  string
	readOnly bool
	format   string
}

// Command is the registry doctor subcommand.
func Command(streams func() ui.Streams) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use: "doctor [OPTIONS] HOST", Short: "Say what a registry can do, and what is dangerous there", Long: long, Example: examples,
		Args: connect.OneArg("a registry, as registry.example.com"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), streams(), args[0])
		},
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&f.scratch, "scratch", DefaultScratch, "`REPOSITORY` for the test images")
	set.BoolVar(&f.readOnly, "read-only", false, "Write nothing")
	set.StringVar(&f.format, "format", "text", "Print in this `FORMAT`: text or json")
	f.Register(cmd)
	return cmd
}

func (f *flags) run(ctx context.Context, streams ui.Streams, place string) error {
	if f.format != "text" && f.format != "json" {
		return fmt.Errorf("unknown format %q: use --format text or json", f.format)
	}
	registry, prefix, err := f.Open(place)
	if err != nil {
		return err
	}
	if prefix != "" {
		return fmt.Errorf("%s: name the registry alone; --scratch names a repository to write to", place)
	}
	if _, err := connect.ParseRef(registry.Host() + "/" + f.scratch); err != nil {
		return fmt.Errorf("--scratch: %w", err)
	}
	scratch := f.scratch
	if f.readOnly {
		scratch = ""
	}
	answers, err := Examine(ctx, registry, scratch)
	if err != nil {
		return err
	}
	findings := Diagnose(*answers)
	if f.format == "json" {
		enc := json.NewEncoder(streams.Out)
		enc.SetIndent("", "  ")
		err = enc.Encode(findings)
	} else {
		err = printText(streams.Out, registry.Host(), scratch, answers.Wrote, findings)
	}
	if err == nil && !Fit(findings) {
		return &ui.Exit{Code: ui.Findings}
	}
	return err
}

// printText prints a table whose last column is wrapped to the terminal.
func printText(out ui.Output, host, scratch string, wrote bool, findings []Finding) error {
	var b strings.Builder
	check, answer := 0, 0
	for _, f := range findings {
		check, answer = max(check, len(f.Check)), max(answer, len(f.Answer))
	}
	for _, f := range findings {
		head := fmt.Sprintf("%-*s  %-*s  %-7s  ", check, f.Check, answer, f.Answer, f.Level)
		width := 1 << 20
		if out.Width > 0 {
			width = max(out.Width-len(head), 24)
		}
		for i, line := range ui.Wrap(f.Means, width) {
			if i > 0 {
				head = strings.Repeat(" ", len(head))
			}
			b.WriteString(head + line + "\n")
		}
	}
	if wrote {
		fmt.Fprintf(&b, "\nTest images were written to %s/%s, and deleted.\n", host, scratch)
	} else {
		fmt.Fprintf(&b, "\nNothing was written to %s.\n", host)
	}
	if !Fit(findings) {
		fmt.Fprintf(&b, "%s is not fit for prune: see what is missing.\n", host)
	}
	_, err := fmt.Fprint(out, b.String())
	return err
}
