package sbom

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"

	"github.com/imgmgr/imgmgr/plugin/ui"
)

func itoa(n int) string { return strconv.Itoa(n) }

// PrintSPDX writes the document as it is attached, indented.
func PrintSPDX(w io.Writer, doc *Document) error {
	var b bytes.Buffer
	if err := json.Indent(&b, doc.SPDX, "", "  "); err != nil {
		return fmt.Errorf("print the SBOM: %w", err)
	}
	b.WriteByte('\n')
	_, err := b.WriteTo(w)
	return err
}

// PrintTable writes one line a package.
func PrintTable(w io.Writer, doc *Document) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TYPE\tNAME\tVERSION\tLICENSE\tFROM")
	for _, p := range doc.Packages {
		from := "-"
		if p.From != nil {
			from = p.From.File + ":" + itoa(p.From.Line)
			if p.From.Origin != nil {
				from += " < " + itoa(p.From.Origin.Line)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", cmp.Or(p.Type, "-"), p.Name, cmp.Or(p.Version, "-"), cmp.Or(shorten(p.License), "-"), from)
	}
	return t.Flush()
}

// shorten keeps a table narrow.
func shorten(s string) string {
	if runes := []rune(s); len(runes) > 32 {
		return string(runes[:31]) + "…"
	}
	return s
}

// PrintGroups writes packages below the instructions that brought them in.
func PrintGroups(w io.Writer, groups []Group) error {
	var b strings.Builder
	for i, g := range groups {
		if i > 0 {
			b.WriteByte('\n')
		}
		g.head(&b)
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, p := range g.Packages {
			fmt.Fprintf(t, "    %s\t%s\t%s\n", cmp.Or(p.Type, "-"), p.Name, cmp.Or(p.Version, "-"))
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (g *Group) head(b *strings.Builder) {
	if g.From == nil {
		fmt.Fprintln(b, "from an instruction that is not known")
	} else {
		fmt.Fprintln(b, g.From.title())
		if o := g.From.Origin; o != nil {
			fmt.Fprintln(b, "  made by "+o.title())
		}
		if g.From.Base != "" {
			fmt.Fprintln(b, "  base image "+g.From.Base)
		}
	}
	fmt.Fprint(b, "  "+ui.Count(len(g.Packages), "package"))
	if l := g.Layer; l != nil {
		fmt.Fprintf(b, ", in layer %s", cmp.Or(l.Digest, l.DiffID))
	}
	fmt.Fprintln(b)
}

// PrintCycloneDX writes the packages as a CycloneDX 1.6 document, JSON. Where a
// package came from is in its properties, whose names begin with "imgmgr:".
func PrintCycloneDX(w io.Writer, doc *Document, image string) error {
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{Component: &cyclonedx.Component{Type: cyclonedx.ComponentTypeContainer, Name: cmp.Or(image, doc.Name)}}
	components := make([]cyclonedx.Component, 0, len(doc.Packages))
	for i, p := range doc.Packages {
		c := cyclonedx.Component{
			BOMRef: itoa(i) + "-" + cmp.Or(p.PURL, p.Name), Type: cyclonedx.ComponentTypeLibrary,
			Name: p.Name, Version: p.Version, PackageURL: p.PURL,
		}
		if p.License != "" {
			c.Licenses = &cyclonedx.Licenses{{Expression: p.License}}
		}
		if p.From != nil {
			c.Properties = p.From.properties()
		}
		components = append(components, c)
	}
	bom.Components = &components
	e := cyclonedx.NewBOMEncoder(w, cyclonedx.BOMFileFormatJSON)
	e.SetPretty(true)
	e.SetEscapeHTML(false)
	if err := e.EncodeVersion(bom, cyclonedx.SpecVersion1_6); err != nil {
		return fmt.Errorf("print the SBOM: %w", err)
	}
	return nil
}

func (o *Origin) properties() *[]cyclonedx.Property {
	list := []cyclonedx.Property{
		{Name: "imgmgr:file", Value: o.File},
		{Name: "imgmgr:line", Value: itoa(o.Line)},
		{Name: "imgmgr:instruction", Value: o.Text},
	}
	if o.History != nil {
		list = append(list, cyclonedx.Property{Name: "imgmgr:history", Value: itoa(*o.History)})
	}
	if o.Base != "" {
		list = append(list, cyclonedx.Property{Name: "imgmgr:base", Value: o.Base})
	}
	if o.Origin != nil {
		list = append(list, cyclonedx.Property{Name: "imgmgr:origin:line", Value: itoa(o.Origin.Line)},
			cyclonedx.Property{Name: "imgmgr:origin:instruction", Value: o.Origin.Text})
	}
	return &list
}
