package effect

import (
	"maps"
	"path"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// relation is how a word's path lies to the place.
type relation int

const (
	apart relation = iota
	above          // a folder that the place lies in
	same
	below
	open // nothing is known of the path
)

// study is one question about one place.
type study struct {
	place string
	home  string
	vars  map[string]string
	// dirs are the folders that commands may run in; lost says that there may
	// be others.
	dirs []string
	lost bool
}

func newStudy(commands []*shell.Command, scene Scene, place string) *study {
	s := &study{place: place, home: scene.Home, vars: maps.Clone(scene.Vars)}
	if s.vars == nil {
		s.vars = map[string]string{}
	}
	if scene.Workdir != "" {
		s.dirs = []string{scene.Workdir}
	}
	for _, c := range commands {
		s.learn(c)
	}
	return s
}

// learn takes in the variables that a command sets and the folder it changes
// to.
func (s *study) learn(c *shell.Command) {
	assigns := c.Assigns
	if len(c.Words) > 0 {
		assigns = nil
	}
	if name := c.Name(); name == "export" || name == "readonly" || name == "local" {
		for _, w := range c.Args() {
			if name, value, ok := strings.Cut(w.Value, "="); ok {
				assigns = append(assigns, shell.Assign{Name: name, Value: shell.Word{Raw: w.Raw, Value: value, Literal: w.Literal}})
			}
		}
	}
	for _, a := range assigns {
		switch {
		case a.Value.Literal:
			s.vars[a.Name] = a.Value.Value
		case strings.Contains(a.Value.Value, "$(mktemp"):
			s.vars[a.Name] = "/tmp/mktemp"
		default:
			delete(s.vars, a.Name)
		}
	}
	if name := c.Name(); (name == "cd" || name == "pushd") && len(c.Args()) > 0 {
		prefix, whole := s.known(c.Args()[len(c.Args())-1])
		switch {
		case !whole || len(s.dirs) > 16:
			s.lost = true
		case path.IsAbs(prefix):
			s.dirs = append(s.dirs, path.Clean(prefix))
		default:
			for _, d := range s.dirs {
				s.dirs = append(s.dirs, path.Join(d, prefix))
			}
		}
	}
}

// relation is the closest way in which the word may lie to the place.
func (s *study) relation(w shell.Word) relation {
	prefix, whole := s.known(w)
	if pattern := w.Value != "" && strings.IndexByte("*?[", w.Value[0]) >= 0; prefix == "" && !whole {
		if !pattern || s.lost {
			return open
		}
		prefix = "./"
	}
	if path.IsAbs(prefix) {
		return s.compare(prefix, whole, w)
	}
	if s.lost && (prefix == "." || prefix == "./" || prefix == "..") {
		return open
	}
	for _, d := range s.dirs {
		full := d + "/" + prefix
		if whole {
			full = path.Join(d, prefix)
		}
		if r := s.compare(full, whole, w); r != apart {
			return r
		}
	}
	return apart
}

// compare relates a path, or the known start of one, to the place.
func (s *study) compare(prefix string, whole bool, w shell.Word) relation {
	if whole {
		switch p := path.Clean(prefix); {
		case p == s.place:
			return same
		case p == "/" || strings.HasPrefix(s.place, p+"/"):
			return above
		case strings.HasPrefix(p, s.place+"/"):
			return below
		}
		return apart
	}
	dir, base := path.Split(prefix)
	prefix = path.Join("/", dir)
	if prefix != "/" {
		prefix += "/"
	}
	prefix += base
	switch {
	case strings.HasPrefix(prefix, s.place+"/"):
		return below
	case strings.HasPrefix(s.place, prefix):
		// A pattern that begins with * or ? leaves hidden names out.
		rest := s.place[len(prefix):]
		if base == "" && strings.HasPrefix(rest, ".") && globs(w, prefix) {
			return apart
		}
		return above
	}
	return apart
}

// globs reports that what follows the known start of the word is a pattern.
func globs(w shell.Word, prefix string) bool {
	i := strings.IndexAny(w.Value, "*?$`")
	return i >= 0 && (w.Value[i] == '*' || w.Value[i] == '?') && strings.HasSuffix(prefix, "/")
}

// known is the start of the word's value that is known, and whether that is
// the whole of it.
func (s *study) known(w shell.Word) (prefix string, whole bool) {
	prefix, rest := s.split(w)
	return prefix, rest == ""
}

// split is the start of the word's value that is known, and the rest as it is
// written.
func (s *study) split(w shell.Word) (prefix, rest string) {
	if w.Literal {
		return w.Value, ""
	}
	var b strings.Builder
	v := w.Value
	if s.home != "" && (v == "~" || strings.HasPrefix(v, "~/")) {
		b.WriteString(s.home)
		v = v[1:]
	}
	for i := 0; i < len(v); {
		switch v[i] {
		case '$':
			value, n := s.variable(v[i:])
			if n == 0 {
				return b.String(), v[i:]
			}
			b.WriteString(value)
			i += n
		case '*', '?', '[', '`', '{', '~', '<', '>', '(':
			return b.String(), v[i:]
		default:
			b.WriteByte(v[i])
			i++
		}
	}
	return b.String(), ""
}

// variable reads $NAME or ${NAME} and returns its value and its length, 0 when
// it is anything else or isn't known.
func (s *study) variable(v string) (value string, length int) {
	name := v[1:]
	braced := strings.HasPrefix(name, "{")
	if braced {
		name = name[1:]
	}
	n := 0
	for n < len(name) && (name[n] == '_' || name[n] >= 'a' && name[n] <= 'z' || name[n] >= 'A' && name[n] <= 'Z' || n > 0 && name[n] >= '0' && name[n] <= '9') {
		n++
	}
	length = 1 + n
	if braced {
		if n >= len(name) || name[n] != '}' {
			return "", 0
		}
		length += 2
	}
	name = name[:n]
	if name == "HOME" && s.home != "" {
		return s.home, length
	}
	value, ok := s.vars[name]
	if !ok {
		return "", 0
	}
	return value, length
}
