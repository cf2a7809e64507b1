package prove

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// nowhere is a pattern that no image has a file for. BuildKit has to unpack the image
// to see that.
const nowhere = "/imgmgr-no-such-file-*"

// Bases is a Dockerfile that makes a builder fetch all that the build starts from,
// the build context too, and runs none of its steps. So the first of several builds
// isn't the only one that pays for it.
func Bases(s Subject) string {
	f := s.Written
	var b strings.Builder
	if d, ok := f.Syntax(); ok {
		fmt.Fprintf(&b, "# syntax=%s\n", d.Value)
	}
	for _, d := range f.Directives {
		if d.Name == "escape" {
			fmt.Fprintf(&b, "# escape=%s\n", d.Value)
		}
	}
	for _, in := range f.Global {
		b.WriteString(f.Text(in.Span) + "\n")
	}
	needed := f.NeededWith(s.Target, s.Args)
	var from []string
	for _, st := range f.Stages {
		if !needed[st] || st.Parent != nil || st.Base == dockerfile.Scratch {
			continue
		}
		b.WriteString(f.Text(st.From.Span))
		name := st.Name
		if name == "" {
			name = fmt.Sprintf("imgmgr-base-%d", st.Index)
			b.WriteString(" AS " + name)
		}
		b.WriteString("\n")
		from = append(from, name)
	}
	b.WriteString("FROM scratch\n")
	for _, name := range slices.Concat(from, s.images()) {
		fmt.Fprintf(&b, "COPY --from=%s %s /\n", name, nowhere)
	}
	if s.readsContext() {
		b.WriteString("COPY . /\n")
	}
	return b.String()
}

// images are those that the build copies from by name.
func (s Subject) images() (out []string) {
	for _, in := range s.instructions(s.Written) {
		from, ok := in.Flag("from")
		if ok && len(s.Written.Sources(in)) == 0 && s.Written.Plain(from.Value) && !slices.Contains(out, from.Value) {
			out = append(out, from.Value)
		}
	}
	return out
}
