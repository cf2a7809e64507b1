package rules

import (
	"path"
	"strings"

	csvvalue "github.com/tonistiigi/go-csvvalue"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// mount is a --mount of a RUN with its variables expanded.
type mount struct {
	kind   string // "bind" where none is given
	from   string
	source string // "" for the root
	target string // absolute and clean; "" where there is none or it isn't known
	id     string
	open   bool // a value isn't known
}

// mounts are the mounts of a RUN. BuildKit's own [instructions.GetMounts] knows
// their values only when the build expands them.
func mounts(p *lint.Pass, in *dockerfile.Instruction) []mount {
	var list []mount
	for _, flag := range in.Flags {
		if flag.Name != "mount" {
			continue
		}
		fields, err := csvvalue.Fields(flag.Value, nil)
		m := mount{kind: "bind", open: err != nil}
		for _, field := range fields {
			key, value, _ := strings.Cut(field, "=")
			value, ok := p.Expand(in, value)
			m.open = m.open || !ok
			m.set(strings.ToLower(key), value)
		}
		m.settle(p.State(in))
		list = append(list, m)
	}
	return list
}

func (m *mount) set(key, value string) {
	switch key {
	case "type":
		m.kind = strings.ToLower(value)
	case "from":
		m.from = value
	case "source", "src":
		m.source = value
	case "target", "dst", "destination":
		m.target = value
	case "id":
		m.id = value
	}
}

// settle makes the target absolute and gives a secret without one its default.
func (m *mount) settle(state lint.State) {
	switch {
	case m.target == "" && m.kind == "secret":
		m.target = "/run/secrets/" + path.Base("/"+m.source+m.id)
	case m.target == "":
		m.open = m.open || m.kind != "ssh"
		return
	case !path.IsAbs(m.target) && !state.WorkdirKnown:
		m.target, m.open = "", true
		return
	case !path.IsAbs(m.target):
		m.target = path.Join(state.Workdir, m.target)
	}
	m.target = path.Clean(m.target)
}
