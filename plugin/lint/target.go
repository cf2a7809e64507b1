package lint

import (
	"io"
	"maps"
	"slices"
)

// target is a Dockerfile to lint, or a path that can't be.
type target struct {
	path string // of the file, or Stdin
	// inline is the Dockerfile where it is only a part of the file.
	inline *inline
	// builds are those that a bake or compose file makes of it. None: the build
	// is what the command line says.
	builds []build
	stages []string // that other builds may ask for, too
	group  *group   // of the bake or compose file; nil without
	err    error
}

// configPath is the file whose folder says which configuration holds.
func (t target) configPath() string {
	if t.inline != nil {
		return t.inline.host.name
	}
	return t.path
}

func (t target) read(stdin io.Reader) ([]byte, error) {
	if t.inline != nil {
		return []byte(t.inline.text), nil
	}
	return read(stdin, t.path)
}

// platforms are those that any of the builds is known to be for.
func (t target) platforms() []string {
	var all []string
	for _, b := range t.builds {
		if b.platform != "" && !slices.Contains(all, b.platform) {
			all = append(all, b.platform)
		}
	}
	return all
}

// build is one way in which a Dockerfile is built.
type build struct {
	name   string // as people know it: "app", "app for linux/arm64"
	target string // of the bake or compose file
	// context is the folder of the build context; "" where it is to be guessed.
	context string
	remote  bool                // the context is no folder of this machine
	named   map[string]string   // named contexts, as bake files write them
	either  map[string][]string // of several builds: what a named context is, where that differs
	args    map[string]string   // nil: unknown
	stage   string              // "" is the last one
	// platform is the one built for; "" is the builder's own, or unknown.
	platform string
}

// targets are the names of those that build the Dockerfile.
func (t target) targets() []string {
	var names []string
	for _, b := range t.builds {
		names = append(names, b.target)
	}
	return names
}

// plain is the build that the command line speaks of.
func (o *Options) plain() build {
	b := build{context: o.Context, named: o.Named, args: o.Args, platform: o.Platform}
	if len(o.Targets) > 0 {
		b.stage = o.Targets[0]
	}
	return b
}

// common is what is known of all the builds alike: what differs among them is
// unknown. A fix is made for all of them, and so has only that to go by.
func common(all []build) build {
	c := all[0]
	c.named, c.either = maps.Clone(c.named), either(all)
	for _, b := range all[1:] {
		if c.args == nil || !maps.Equal(c.args, b.args) {
			c.args = nil
		}
		if c.platform != b.platform {
			c.platform = ""
		}
		if c.stage != b.stage {
			c.stage = ""
		}
		if c.context != b.context || b.remote {
			c.context, c.remote = "", true
		}
		for name, from := range b.named {
			if c.named == nil {
				c.named = map[string]string{}
			}
			if c.named[name] != from {
				c.named[name] = ""
			}
		}
		for name := range c.named {
			if _, ok := b.named[name]; !ok {
				c.named[name] = ""
			}
		}
	}
	return c
}

// either are the named contexts that differ among the builds, with what each of
// them says; "" where it has none of the name.
func either(all []build) map[string][]string {
	froms := map[string][]string{}
	for _, b := range all {
		for name := range b.named {
			froms[name] = nil
		}
	}
	for name := range froms {
		for _, b := range all {
			if from := b.named[name]; !slices.Contains(froms[name], from) {
				froms[name] = append(froms[name], from)
			}
		}
	}
	maps.DeleteFunc(froms, func(_ string, all []string) bool { return len(all) < 2 })
	return froms
}
