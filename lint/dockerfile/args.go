package dockerfile

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	bkshell "github.com/moby/buildkit/frontend/dockerfile/shell"
)

// scope holds the variables that FROM can see.
type scope struct {
	values map[string]string
	// open are variables without a value that a build may give one.
	open map[string]bool
	// used are the open variables that were asked for.
	used map[string]bool
}

// Get makes scope an environment for BuildKit's lexer.
func (s scope) Get(name string) (string, bool) {
	v, ok := s.values[name]
	if !ok && s.open[name] {
		s.used[name] = true
	}
	return v, ok
}

// Keys makes scope an environment for BuildKit's lexer.
func (s scope) Keys() []string {
	keys := make([]string, 0, len(s.values))
	for k := range s.values {
		keys = append(keys, k)
	}
	return keys
}

// PlatformArgs are the variables that BuildKit sets in the global scope
// without an ARG.
func PlatformArgs() []string {
	return []string{
		"BUILDPLATFORM", "BUILDOS", "BUILDOSVERSION", "BUILDARCH", "BUILDVARIANT",
		"TARGETPLATFORM", "TARGETOS", "TARGETOSVERSION", "TARGETARCH", "TARGETVARIANT", "TARGETSTAGE",
	}
}

// globalScope gives the ARGs before the first FROM their values: the build's
// argument, or else the default. With nil args an ARG without default is
// unknown, otherwise it is unset.
func (f *File) globalScope(args map[string]string) scope {
	s := scope{map[string]string{}, map[string]bool{}, map[string]bool{}}
	for _, name := range PlatformArgs() {
		if v, ok := args[name]; ok {
			s.values[name] = v
		} else {
			s.open[name] = true
		}
	}
	for _, in := range f.Global {
		c, ok := in.Command.(*instructions.ArgCommand)
		if !ok {
			continue
		}
		for _, kv := range c.Args {
			s.declare(f, kv, args)
		}
	}
	return s
}

func (s scope) declare(f *File, kv instructions.KeyValuePairOptional, args map[string]string) {
	if v, ok := args[kv.Key]; ok {
		s.values[kv.Key] = v
		return
	}
	if kv.Value == nil {
		if _, set := s.values[kv.Key]; !set && args == nil {
			s.open[kv.Key] = true
		}
		return
	}
	v, known := f.expand(*kv.Value, s)
	if known {
		s.values[kv.Key] = v
	} else {
		delete(s.values, kv.Key)
		s.open[kv.Key] = true
	}
}

// expand replaces the variables of a word. It is unknown where an open
// variable is asked for or the word is malformed.
func (f *File) expand(word string, s scope) (string, bool) {
	if f.Plain(word) {
		return word, true
	}
	clear(s.used)
	lex := bkshell.NewLex(rune(f.Escape))
	v, _, err := lex.ProcessWord(word, s)
	if err != nil || len(s.used) > 0 {
		return "", false
	}
	return v, true
}

// Plain reports a word that stands for itself: there is nothing to expand, to
// unquote or to unescape.
func (f *File) Plain(word string) bool {
	return strings.IndexByte(word, f.Escape) < 0 && !strings.ContainsAny(word, "$'\"")
}

// BaseRef is the reference that FROM names: an image, a stage, or "scratch".
// ARGs of the global scope have the value of args, or else their default;
// args may also hold the platform variables (BUILDPLATFORM, TARGETARCH, …).
// It is not ok where it rests on a value that isn't known: a platform variable
// that args lacks, or, with nil args, an ARG without default.
func (f *File) BaseRef(st *Stage, args map[string]string) (ref string, ok bool) {
	if f.Plain(st.Base) {
		return st.Base, st.Base != ""
	}
	ref, ok = f.expand(st.Base, f.globalScope(args))
	return ref, ok && ref != ""
}

// GlobalArg is the value that a stage's "ARG name" without default takes from
// the global scope: the build's argument or the default of an ARG before the
// first FROM, or a platform variable that args holds. It is not ok where there
// is none or it isn't known.
func (f *File) GlobalArg(name string, args map[string]string) (value string, ok bool) {
	value, ok = f.globalScope(args).values[name]
	return value, ok
}

// PlatformRef is the value of FROM's --platform, expanded as BaseRef is. A
// stage without the flag gives "" and true.
func (f *File) PlatformRef(st *Stage, args map[string]string) (platform string, ok bool) {
	return f.expand(st.Platform, f.globalScope(args))
}
