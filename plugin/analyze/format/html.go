package format

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/analyze/tree"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

//go:embed html
var assets embed.FS

// mostBoxes bounds the page's size: a box takes some 40 bytes, so that is 600 kB.
const mostBoxes = 15_000

// rulePages is where the rules are explained.
const rulePages = "https://github.com/imgmgr/imgmgr/blob/main/docs/rules/"

// page is what the template sees.
type page struct {
	*report.Report
	Style  template.CSS
	Script template.JS
	// Largest is the most that a layer ships, in bytes, and so the longest bar.
	Largest int64
	OwnLive int64 // live bytes of layers that aren't the base image's
	Data    pageData
}

// pageData is what the page's script draws the chart of.
type pageData struct {
	Root   *tree.Box `json:"root"`
	Layers []string  `json:"layers"` // their instructions
	Base   []bool    `json:"base"`
}

// HTML prints a report as one page that needs nothing else: no network, no other
// file. root are the paths of the image.
func HTML(out io.Writer, r *report.Report, root *tree.Node) error {
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"size": ui.Size, "percent": ui.Percent, "signed": signed, "seconds": seconds,
		"count": ui.Count, "share": share, "short": func(s string) string { return ui.Short(s, 200) },
		"rule": func(name string) string { return rulePages + name + ".md" },
		"sub":  func(a, b int64) int64 { return a - b }, "less": func(a, b int) int { return a - b },
		"max": func(a, b int) int { return max(a, b) },
	}).ParseFS(assets, "html/page.html")
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	p := page{Report: r, Data: pageData{Root: tree.Boxes(root, mostBoxes), Layers: []string{}, Base: []bool{}}}
	for _, l := range r.Layers {
		p.Largest = max(p.Largest, l.Bytes)
		p.Data.Layers = append(p.Data.Layers, l.Instruction)
		p.Data.Base = append(p.Data.Base, l.Base)
		if !l.Base {
			p.OwnLive += l.Bytes - l.DeadBytes
		}
	}
	style, err := assets.ReadFile("html/page.css")
	if err != nil {
		return fmt.Errorf("read the page's style: %w", err)
	}
	script, err := assets.ReadFile("html/page.js")
	if err != nil {
		return fmt.Errorf("read the page's script: %w", err)
	}
	p.Style, p.Script = template.CSS(style), template.JS(script)
	var text strings.Builder // a page is whole, or not there
	if err := t.Execute(&text, p); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	_, err = io.WriteString(out, text.String())
	return err
}

// share is how much of a whole some bytes are, in percent.
func share(n, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return 100 * float64(n) / float64(whole)
}
