package sbom

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/source"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

const long = `Print the SBOM that is attached to an image.

Where none is attached, one is made by your builder (docker buildx), which runs
the scanner's image beside the image: --scanner, or the environment variable
IMGMGR_SCANNER, names any that speaks BuildKit's scanner protocol, the imgmgr
frontend's image among them. --attached makes none.

An SBOM of the imgmgr frontend says which instruction of the Dockerfile brought
each package in; --by instruction lists them so. Line 16 < 4 stands for what
line 16 copied from another stage, where line 4 made it.

` + source.Help

const examples = `  docker imgmgr sbom debian:12
  docker imgmgr sbom --format cyclonedx --output app.cdx.json registry.example/app:1
  docker imgmgr sbom --by instruction oci:./layout
  docker imgmgr sbom --stage build --platform linux/arm64 registry.example/app:1`

// flags are the command line as it was typed.
type flags struct {
	format, output, by, platform, stage string
	scanner, builder                    string
	attached                            bool
	mirrors                             []string
}

// Command is the sbom subcommand.
func Command(streams func() ui.Streams) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:     "sbom [OPTIONS] IMAGE",
		Short:   "Print the SBOM of an image, and which instruction brought each package in",
		Long:    long,
		Example: examples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("name one image, not %d: docker imgmgr sbom IMAGE", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), streams(), args[0])
		},
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&f.format, "format", "table", "Print the SBOM in this `FORMAT`: table, spdx or cyclonedx (JSON)")
	set.StringVarP(&f.output, "output", "o", "", "Write to this `FILE` in place of standard output")
	set.StringVar(&f.by, "by", "", "Put packages together by `WHAT`: instruction")
	set.StringVar(&f.platform, "platform", "", "`PLATFORM` of an image that has several, such as linux/arm64")
	set.StringVar(&f.stage, "stage", "", "Print the SBOM of a build `STAGE`, or that of the build context (context)")
	set.BoolVar(&f.attached, "attached", false, "Fail where no SBOM is attached")
	set.StringVar(&f.scanner, "scanner", "", "`IMAGE` that makes an SBOM where none is attached (default $IMGMGR_SCANNER, or "+defaultScanner+")")
	set.StringVar(&f.builder, "builder", "", "`BUILDER` of buildx that runs the scanner")
	set.StringArrayVar(&f.mirrors, "registry-mirror", nil, "`HOST` to ask first for images of Docker Hub")
	for flag, values := range map[string][]string{"format": {"table", "spdx", "cyclonedx"}, "by": {"instruction"}} {
		// It fails for unknown flags only.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	return cmd
}

func (f *flags) check() error {
	switch f.format {
	case "table", "spdx", "cyclonedx":
	default:
		return fmt.Errorf("--format %s: it is table, spdx or cyclonedx", f.format)
	}
	if f.by != "" && f.by != "instruction" {
		return fmt.Errorf("--by %s: it is instruction", f.by)
	}
	if f.by != "" && f.format != "table" {
		return fmt.Errorf("--by is for --format table: in the format %s each package says where it came from", f.format)
	}
	return nil
}

func (f *flags) run(ctx context.Context, streams ui.Streams, arg string) error {
	if err := f.check(); err != nil {
		return err
	}
	opts := source.Options{Stdin: streams.In, Mirrors: f.mirrors}
	src, err := source.Open(ctx, arg, opts)
	if err != nil {
		return err
	}
	defer src.Close()
	img, err := src.Read(ctx, f.platform, nil)
	if err != nil {
		return err
	}
	doc, err := f.document(ctx, streams, opts, arg, src, img)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	switch {
	case f.by != "":
		err = PrintGroups(&out, GroupByInstruction(doc, img))
	case f.format == "spdx":
		err = PrintSPDX(&out, doc)
	case f.format == "cyclonedx":
		err = PrintCycloneDX(&out, doc, img.Name)
	default:
		err = PrintTable(&out, doc)
	}
	if err != nil {
		return err
	}
	if f.output == "" {
		_, err = out.WriteTo(streams.Out)
		return err
	}
	if err := os.WriteFile(f.output, out.Bytes(), 0o644); err != nil {
		return fmt.Errorf("save the SBOM: %w", err)
	}
	return nil
}

// document is the SBOM that is attached, or one that is made.
func (f *flags) document(ctx context.Context, streams ui.Streams, opts source.Options, arg string, src image.Source, img *image.Image) (*Document, error) {
	docs, err := attached(ctx, img)
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 && strings.HasPrefix(src.String(), "engine:") && !strings.HasPrefix(arg, "engine:") {
		docs = pushed(ctx, opts, arg, f.platform, img)
	}
	doc, err := choose(docs, f.stage)
	if !errors.Is(err, errNone) {
		return doc, err
	}
	if f.attached || f.stage != "" {
		return nil, fmt.Errorf("%s: %w", src, err)
	}
	m := maker{
		scanner: cmp.Or(f.scanner, os.Getenv(scannerEnv), defaultScanner), builder: f.builder,
		platform: platformOf(img.Platform), sources: source.Options{Mirrors: f.mirrors},
	}
	fmt.Fprintf(streams.Err, "no SBOM is attached to %s: making one with %s\n", src, m.scanner)
	return m.sbom(ctx, src, img)
}

// attached reads the SBOMs that are attached to an image.
func attached(ctx context.Context, img *image.Image) ([]*Document, error) {
	var docs []*Document
	for _, a := range img.Attestations {
		if a.PredicateType != image.PredicateSPDX {
			continue
		}
		text, err := a.Statement(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the SBOM that is attached: %w", err)
		}
		doc, err := Parse(text)
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// pushed are the SBOMs that the registry has of an image whose Engine keeps
// none, if it is the same image there.
func pushed(ctx context.Context, opts source.Options, arg, platform string, img *image.Image) []*Document {
	src, err := source.Open(ctx, "registry:"+arg, opts)
	if err != nil {
		return nil
	}
	defer src.Close()
	there, err := src.Read(ctx, platform, nil)
	if err != nil || there.ID != img.ID {
		return nil
	}
	docs, err := attached(ctx, there)
	if err != nil {
		return nil
	}
	return docs
}
