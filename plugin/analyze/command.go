package analyze

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/containerd/platforms"
	"github.com/spf13/cobra"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/plugin/image/source"
	"github.com/imgmgr/imgmgr/plugin/lint"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

const long = `Show what an image costs, which instruction shipped it and which one buried it,
and what to do about it.

Dead bytes are those that a layer ships and a later one overwrites or deletes:
they are pulled and stored, and nothing sees them. Layers are led back to lines
of the Dockerfile by the provenance that BuildKit attached (--provenance
mode=max), or by --file; otherwise to the instructions in the image's history.

--prove applies the fixes of docker imgmgr lint to the Dockerfile of --file, in
memory, and builds it as it is written and as it is repaired, on your builder,
one after the other: with no step from the cache, then once more after an edit of
a source file, in a copy of the build context. It prints the bytes and seconds
that were measured, and whether both images are the same.

` + source.Help + `

The exit code is 0, 1 if a limit isn't met (--max-size, --min-efficiency,
--max-wasted, --max-growth, --budget), and 2 if the image could not be read or the command
line is wrong.`

const examples = `  docker imgmgr analyze debian:bookworm-slim
  docker imgmgr analyze app:1 --tui
  docker imgmgr analyze app:1 --file Dockerfile --findings
  docker imgmgr analyze app:1 --file Dockerfile --prove
  docker imgmgr analyze app:2 --compare app:1 --max-growth 5%
  docker imgmgr analyze --all
  docker imgmgr analyze --all registry.example.com/team/*
  docker save app:1 | docker imgmgr analyze - --max-wasted 20MB
  docker imgmgr analyze oci:build/image --format html > report.html`

// Command is the analyze subcommand.
func Command(streams func() ui.Streams, rules []*engine.Rule) *cobra.Command {
	var o Options
	var format, fix string
	var mirrors []string
	var all bool
	cmd := &cobra.Command{
		Use:     "analyze [OPTIONS] IMAGE",
		Short:   "Show what an image costs, line by line, and what to do about it",
		Long:    long,
		Example: examples,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 && !(all && len(args) == 0) {
				return fmt.Errorf("name one image; see '%s --help'", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s := streams()
			o.Image, o.Format = strings.Join(args, ""), Format(format)
			o.Sources = source.Options{Stdin: s.In, Mirrors: mirrors}
			if err := o.check(); err != nil {
				return err
			}
			if err := o.proving(cmd, fix, rules); err != nil {
				return err
			}
			if all && o.Format != Text && o.Format != JSON {
				return fmt.Errorf("--all prints text or json, not %s", o.Format)
			}
			if all {
				return RunAll(cmd.Context(), s, o)
			}
			return Run(cmd.Context(), s, o)
		},
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&format, "format", string(Text), "Print the report in this `FORMAT`: text, json, markdown, sarif or html")
	set.BoolVar(&o.TUI, "tui", false, "Walk through the layers and files in the terminal, with the keys of dive")
	set.BoolVar(&all, "all", false, "Show what images share: those of the Docker Engine, or of the repositories that HOST/PATTERN matches")
	set.StringVar(&o.Platform, "platform", "", "`PLATFORM` of the image, such as linux/arm64")
	set.BoolVar(&o.Details.Findings, "findings", false, "Show all findings, with their files")
	set.BoolVar(&o.Details.Layers, "layers", false, "Show all that is known of each layer: digests, bytes, and what comes again when it changes")
	set.BoolVar(&o.Details.Files, "files", false, "Show the largest files of all layers, and what became of them")
	set.BoolVar(&o.Details.Secrets, "secrets", false, "Show secrets, with their layer and place, and no other findings")
	set.BoolVar(&o.Details.Packages, "packages", false, "Show the packages, by the layer that brought them")
	set.StringVar(&o.Paths, "path", "", "Show what became of the paths that a `PATTERN` matches, such as '/usr/lib/**'")
	set.StringVar(&o.Dockerfile, "file", "", "`DOCKERFILE` that the image was built from")
	set.StringVar(&o.Target, "target", "", "`STAGE` of it that is the image")
	set.StringVar(&o.Base, "base", "", "`IMAGE` that it was built on: its layers are told apart")
	set.StringVar(&o.From, "from", "", "`IMAGE` that machines have: count only what an update pulls")
	set.StringVar(&o.Compare, "compare", "", "Older `IMAGE` to compare with")
	set.StringVar(&o.Limits.MaxSize, "max-size", "", "Fail if the layers hold more than this `SIZE` (200MB), uncompressed")
	set.StringVar(&o.Limits.MinEfficiency, "min-efficiency", "", "Fail if a smaller `SHARE` (95%) of what is shipped is live")
	set.StringVar(&o.Limits.MaxWasted, "max-wasted", "", "Fail if more than this `SIZE` or share (20MB, 5%) is dead")
	set.StringVar(&o.Limits.MaxGrowth, "max-growth", "", "Fail if it ships this much more (`SIZE` or share) than the image of --compare")
	set.StringVar(&fix, "prove", "", "Measure what fixes of this `KIND` save: safe (if none is given), build or unsafe. Builds before and after")
	set.Lookup("prove").NoOptDefVal = "safe"
	set.StringVar(&o.Prove.Context, "context", "", "Build context for --prove: `FOLDER` (default: the Dockerfile's)")
	set.StringArrayVar(&o.Prove.Named, "build-context", nil, "Named build context for --prove: `NAME=PLACE`, as docker buildx build takes it")
	set.StringArrayVar(&o.Prove.Args, "build-arg", nil, "Build argument for --prove: `NAME=VALUE`")
	set.StringArrayVar(&o.Prove.Flags, "build-flag", nil, "`FLAG` of docker buildx build for --prove, such as --network=host or --secret=id=key,src=key")
	set.StringVar(&o.Prove.Builder, "builder", "", "`BUILDER` of buildx for --prove")
	set.StringVar(&o.Prove.Edit, "edit", "", "`FILE` of the build context that --prove edits, in a copy, before it builds again")
	set.StringVar(&o.Budget, "budget", "", "`FILE` with limits (default: imgmgr.budget.yaml beside the Dockerfile of --file)")
	set.StringArrayVar(&mirrors, "registry-mirror", nil, "`HOST` to ask first for images of Docker Hub")
	set.BoolVar(&o.Quick, "quick", false, "Don't look into files: no packages, secrets or duplicates")
	set.BoolVar(&o.NoCache, "no-cache", false, "Read all layers, even those that were read before, and know no other images")
	complete(cmd)
	return cmd
}

// proving reads what --prove needs.
func (o *Options) proving(cmd *cobra.Command, fix string, rules []*engine.Rule) error {
	p := &o.Prove
	if !cmd.Flags().Changed("prove") {
		for _, name := range []string{"context", "build-context", "build-arg", "build-flag", "builder", "edit"} {
			if cmd.Flags().Changed(name) {
				return fmt.Errorf("--%s is for the builds of --prove: add that, or leave it away", name)
			}
		}
		return nil
	}
	var ok bool
	if p.Fix, ok = lint.ParseSafety(fix); !ok {
		return fmt.Errorf("unknown kind of fix %q: use --prove=safe, build or unsafe", fix)
	}
	for _, flag := range p.Flags {
		if !strings.HasPrefix(flag, "-") {
			return fmt.Errorf("--build-flag %q is no flag: write --build-flag=--secret=id=key,src=key, as one word", flag)
		}
		// What the builder alone knows of, the fixes go wrong about.
		for _, own := range []string{"--build-arg", "--build-context", "--target", "--platform"} {
			if name, _, _ := strings.Cut(flag, "="); name == own {
				return fmt.Errorf("--build-flag %s: %s is an option of this command, too: use that", flag, own)
			}
		}
	}
	switch {
	case o.Dockerfile == "":
		return errors.New("--prove builds the Dockerfile of the image: name it with --file")
	case o.TUI || !slices.Contains([]Format{Text, JSON, Markdown}, o.Format):
		return errors.New("--prove prints text, json or markdown")
	}
	p.Rules, p.Today, p.Now = rules, lint.Today(), time.Now
	return nil
}

// complete offers values in shells.
func complete(cmd *cobra.Command) {
	// It fails for unknown flags only.
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("prove", cobra.FixedCompletions([]string{"safe", "build", "unsafe"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagDirname("context")
}

// check refuses options that can't be followed.
func (o *Options) check() error {
	if !slices.Contains(formats, string(o.Format)) {
		return fmt.Errorf("unknown format %q: use --format %s", o.Format, strings.Join(formats, ", "))
	}
	if !doublestar.ValidatePattern(o.Paths) {
		return fmt.Errorf("--path %q is no pattern: a bracket or brace isn't closed", o.Paths)
	}
	if o.TUI && o.Format != Text {
		return fmt.Errorf("--tui draws on the terminal: leave --format %s away", o.Format)
	}
	if o.Details.Files && o.Paths != "" {
		return errors.New("--files lists the largest files, and --path all that match: leave one away")
	}
	if o.Quick && o.Details.Secrets {
		return errors.New("--secrets looks into files: leave --quick away")
	}
	if o.Quick && o.Compare != "" {
		return errors.New("--compare looks into files: leave --quick away")
	}
	if o.Platform != "" {
		if _, err := platforms.Parse(o.Platform); err != nil {
			return fmt.Errorf("unknown platform %q: use --platform linux/arm64 or the like", o.Platform)
		}
	}
	return nil
}
