package inspect

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/imgmgr/imgmgr/plugin/ui"
)

// printText prints a report for people.
func printText(out ui.Output, r *Report) error {
	w := bufio.NewWriter(out)
	p := printer{w, out.Width}
	p.line(0, "%s", r.Reference)
	p.field(2, "digest", r.Digest)
	p.field(2, "type", strings.TrimSpace(r.MediaType+" "+r.ArtifactType))
	if r.Subject != "" {
		p.field(2, "refers to", r.Subject)
	}
	p.pairs(2, "annotation", r.Annotations)
	p.layers(r.Layers)
	for i := range r.Platforms {
		p.platform(&r.Platforms[i], r.Platforms[i].Digest != r.Digest)
	}
	for _, a := range r.Attestations {
		p.line(0, "\nattestation %s%s", short(a.Digest), missing(a))
		p.layers(a.Layers)
	}
	for _, ref := range r.Referrers {
		p.line(0, "\nreferrer %s, %s", short(ref.Digest), kind(ref))
		p.field(2, "refers to", short(ref.To))
		p.pairs(2, "annotation", ref.Annotations)
		p.layers(ref.Layers)
	}
	return w.Flush()
}

type printer struct {
	w     io.Writer
	width int
}

func (p printer) platform(m *Platform, part bool) {
	var size int64
	for _, l := range m.Layers {
		size += l.Size
	}
	p.line(0, "\n%s  %s in %s%s", m.Platform, ui.Size(size), ui.Count(len(m.Layers), "layer"), missing(m.Manifest))
	if part {
		p.field(2, "digest", m.Digest)
		p.pairs(2, "annotation", m.Annotations)
	}
	if c := m.Config; c != nil {
		if c.Created != nil {
			p.field(2, "created", c.Created.UTC().Format(time.RFC3339))
		}
		p.field(2, "user", c.Config.User)
		p.field(2, "workdir", c.Config.WorkingDir)
		p.list("entrypoint", c.Config.Entrypoint)
		p.list("cmd", c.Config.Cmd)
		for _, env := range c.Config.Env {
			p.field(2, "env", env)
		}
		p.list("ports", slices.Sorted(maps.Keys(c.Config.ExposedPorts)))
		p.pairs(2, "label", c.Config.Labels)
	}
	p.layers(m.Layers)
}

func (p printer) layers(layers []Layer) {
	for _, l := range layers {
		what := l.CreatedBy
		if what == "" {
			what = l.MediaType
		}
		p.line(2, "%s  %8s  %s", short(l.Digest), ui.Size(l.Size), strings.Join(strings.Fields(what), " "))
	}
}

// line prints a line that ends where the terminal does.
func (p printer) line(indent int, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for part := range strings.SplitSeq(text, "\n") {
		runes := []rune(strings.Repeat(" ", indent) + ui.Plain(part))
		if p.width > 1 && len(runes) > p.width {
			runes = append(runes[:p.width-1], '…')
		}
		fmt.Fprintln(p.w, string(runes))
	}
}

func (p printer) field(indent int, name, value string) {
	if value != "" {
		fmt.Fprintf(p.w, "%*s%-10s %s\n", indent, "", name, ui.Plain(value))
	}
}

func (p printer) list(name string, values []string) {
	if len(values) > 0 {
		p.field(2, name, strings.Join(values, " "))
	}
}

func (p printer) pairs(indent int, name string, values map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		p.field(indent, name, key+"="+values[key])
	}
}

func missing(m Manifest) string {
	if m.Missing {
		return "  MISSING in the registry"
	}
	return ""
}

func kind(r Referrer) string {
	what := r.ArtifactType
	if what == "" {
		what = r.MediaType
	}
	if r.Tag != "" {
		_, suffix, _ := strings.Cut(r.Tag, ".")
		what += ", by the tag of its subject " + suffix
	}
	return strings.TrimSpace(what)
}

func short(digest string) string {
	if _, hex, ok := strings.Cut(digest, ":"); ok && len(hex) > 12 {
		return hex[:12]
	}
	return digest
}
