package effect

import (
	"path"
	"strings"

	csvvalue "github.com/tonistiigi/go-csvvalue"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// Mount is a --mount of a RUN with its variables expanded.
type Mount struct {
	Kind   string // "bind" where none is given
	From   string // a stage, an image or a named context; "" for the build context
	Source string // "" for the root
	Target string // absolute and clean; "" where there is none or it isn't known
	ID     string
	Open   bool // a value isn't known
}

// Mounts are the mounts of a RUN. BuildKit's own [instructions.GetMounts] knows
// their values only when the build expands them.
func Mounts(in *dockerfile.Instruction, w World) []Mount {
	var list []Mount
	for _, flag := range in.Flags {
		if flag.Name != "mount" || in.Name != "RUN" {
			continue
		}
		fields, err := csvvalue.Fields(flag.Value, nil)
		m := Mount{Kind: "bind", Open: err != nil}
		for _, field := range fields {
			key, value, _ := strings.Cut(field, "=")
			value, ok := w.expand(value)
			m.Open = m.Open || !ok
			m.set(strings.ToLower(key), value)
		}
		m.settle(w.Workdir)
		list = append(list, m)
	}
	return list
}

func (m *Mount) set(key, value string) {
	switch key {
	case "type":
		m.Kind = strings.ToLower(value)
	case "from":
		m.From = value
	case "source", "src":
		m.Source = value
	case "target", "dst", "destination":
		m.Target = value
	case "id":
		m.ID = value
	}
}

// settle makes the target absolute and gives a secret without one its default.
func (m *Mount) settle(workdir string) {
	switch {
	case m.Target == "" && m.Kind == "secret":
		m.Target = "/run/secrets/" + path.Base("/"+m.Source+m.ID)
	case m.Target == "":
		m.Open = m.Open || m.Kind != "ssh"
		return
	case !path.IsAbs(m.Target) && workdir == "":
		m.Target, m.Open = "", true
		return
	case !path.IsAbs(m.Target):
		m.Target = path.Join(workdir, m.Target)
	}
	m.Target = path.Clean(m.Target)
}
