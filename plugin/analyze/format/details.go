package format

import (
	"fmt"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// details prints all that is known of each layer.
func (p *printer) details(r *report.Report) {
	p.line("\n%s", p.paint(bold, ui.Count(len(r.Layers), "layer")+", the lowest first"))
	again := map[int]int64{}
	for _, c := range r.Pull.Churn {
		again[c.Layer] = c.Bytes
	}
	for _, l := range r.Layers {
		text := l.Instruction
		if l.Line > 0 {
			text = where(l) + " " + text
		}
		if l.Base {
			text += " (the base image's)"
		}
		p.wrapped(fmt.Sprintf("%3d ", l.Index), 4, text)
		of := []string{ui.Size(l.Bytes) + " in " + ui.Count(l.Entries, "entry")}
		if l.CompressedBytes > 0 {
			of = append(of, ui.Size(l.CompressedBytes)+" compressed")
		}
		for _, n := range []struct {
			bytes int64
			what  string
		}{{l.DeadBytes, "dead"}, {l.BuriedBytes, "of lower layers buried"}, {l.MetadataOnlyBytes, "shipped again unchanged"}} {
			if n.bytes > 0 {
				of = append(of, ui.Size(n.bytes)+" "+n.what)
			}
		}
		p.wrapped("    ", 4, strings.Join(of, ", ")+"; "+ui.Size(again[l.Index])+" to pull again when it changes")
		if l.Digest != "" && l.Digest != l.DiffID {
			p.line("  digest %s", l.Digest)
		}
		p.line("  diffID %s", l.DiffID)
	}
}

// secrets prints the secrets alone, with their files.
func (p *printer) secrets(r *report.Report) {
	var list []report.Finding
	for _, f := range r.Findings {
		if strings.HasPrefix(f.Kind, "secret") {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		p.line("%s", p.paint(green, "no secrets were found"))
		return
	}
	p.line("%s", p.paint(bold, ui.Count(len(list), "secret")))
	for _, f := range list {
		p.finding(f, true)
	}
}
