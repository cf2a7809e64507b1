package lint

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/docker/buildx/bake"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// group are the Dockerfiles of a bake or compose file, and who of its targets is
// built together with whom.
type group struct {
	members [][]string // targets of each of its groups
	targets []target
	bases   func() ([]facts.GroupBase, error)
}

// newGroup reads no Dockerfile before a rule asks.
func newGroup(config *bake.Config, targets []target) *group {
	g := &group{targets: targets, bases: sync.OnceValues(func() ([]facts.GroupBase, error) { return basesOf(targets) })}
	for _, of := range config.Groups {
		g.members = append(g.members, flat(config, of.Name, nil))
	}
	return g
}

// bases are the builds of the group that a build starts from, as its named
// contexts say. Those whose Dockerfile can't be had are unknown. They don't go
// in a circle: bake refuses that.
func (o *Options) bases(g *group, b build) map[string][]*facts.Build {
	if g == nil {
		return nil
	}
	bases := map[string][]*facts.Build{}
	for name, from := range b.named {
		var all []*facts.Build
		froms := b.either[name]
		if froms == nil {
			froms = []string{from}
		}
		for _, from := range froms {
			base := o.base(g, from)
			if base == nil {
				all = nil
				break
			}
			all = append(all, base)
		}
		if all != nil {
			bases[name] = all
		}
	}
	return bases
}

// base is the build that a named context stands for; nil where it is none, or
// nothing is known of it.
func (o *Options) base(g *group, from string) *facts.Build {
	made, ok := strings.CutPrefix(from, "target:")
	t, of := g.build(made)
	if !ok || t == nil || t.err != nil {
		return nil
	}
	src, err := t.read(nil)
	if err != nil {
		return nil // said of that file
	}
	fc := facts.Context{Args: of.args, Target: of.stage, Today: o.Today, Named: map[string]fs.FS{}, Bases: o.bases(g, of)}
	for name := range of.named {
		fc.Named[name] = nil
	}
	if o.Images != nil {
		fc.Images = o.Images
	}
	return &facts.Build{Path: t.path, Source: src, Facts: fc}
}

// build finds the build of a target.
func (g *group) build(name string) (*target, build) {
	for i, t := range g.targets {
		for _, b := range t.builds {
			if b.target == name {
				return &g.targets[i], b
			}
		}
	}
	return nil, build{}
}

// flat are the targets of a group, and of the groups in it.
func flat(config *bake.Config, name string, above []string) []string {
	if slices.Contains(above, name) {
		return nil // bake refuses it
	}
	for _, g := range config.Groups {
		if g.Name == name {
			var all []string
			for _, member := range g.Targets {
				all = append(all, flat(config, member, append(above, name))...)
			}
			return all
		}
	}
	return []string{name}
}

// together reports that some group has both targets.
func (g *group) together(a, b string) bool {
	return slices.ContainsFunc(g.members, func(members []string) bool { return slices.Contains(members, a) && slices.Contains(members, b) })
}

// beside are the builds of a group beside one target's.
type beside struct {
	group *group
	own   []string // names of the targets that are asked for
}

// Bases is facts.Group.
func (s beside) Bases(context.Context) ([]facts.GroupBase, error) {
	all, err := s.group.bases()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(b facts.GroupBase) bool {
		return slices.Contains(s.own, b.Target) || !slices.ContainsFunc(s.own, func(own string) bool { return s.group.together(own, b.Target) })
	}), nil
}

// basesOf are the images that Dockerfiles name for what their targets build, where
// they are written out.
func basesOf(targets []target) ([]facts.GroupBase, error) {
	var bases []facts.GroupBase
	for _, t := range targets {
		if t.err != nil {
			continue
		}
		src, err := t.read(nil)
		if err != nil {
			return nil, fmt.Errorf("read the other Dockerfiles of the group: %w: %w", facts.ErrUnknown, err)
		}
		file, err := dockerfile.Parse(t.path, src)
		if err != nil {
			continue // said of that file
		}
		for _, b := range t.builds {
			for st := range file.NeededWith(b.stage, b.args) {
				base := facts.GroupBase{Target: b.target, Ref: st.Base}
				_, replaced := facts.Replacing(b.named, st.Base)
				if st.Parent == nil && file.Plain(st.Base) && st.Base != dockerfile.Scratch && !replaced && !slices.Contains(bases, base) {
					bases = append(bases, base)
				}
			}
		}
	}
	slices.SortFunc(bases, func(a, b facts.GroupBase) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Ref, b.Ref))
	})
	return bases, nil
}
