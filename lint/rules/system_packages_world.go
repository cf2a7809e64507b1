package rules

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/effect"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// worlds are the surroundings of all instructions of a file, for package
// effect.
type worlds struct {
	*steps
	*effects                                  // of package effect
	moved    map[*dockerfile.Instruction]bool // steps that a fix moves
}

// effects are those that were asked for so far.
type effects struct {
	known   map[*dockerfile.Instruction]effect.Effect
	changes map[*dockerfile.Stage]bool // see fromSources
}

func newWorlds(p *lint.Pass) *worlds {
	shared := lint.Once(p, func(*lint.Pass) *effects {
		return &effects{map[*dockerfile.Instruction]effect.Effect{}, map[*dockerfile.Stage]bool{}}
	})
	return &worlds{newSteps(p), shared, map[*dockerfile.Instruction]bool{}}
}

// effect is what an instruction reads and writes where it stands.
func (w *worlds) effect(in *dockerfile.Instruction) effect.Effect {
	e, ok := w.known[in]
	if !ok {
		e = effect.Of(in, w.world(in))
		w.known[in] = e
	}
	return e
}

func (w *worlds) world(in *dockerfile.Instruction) effect.World {
	world := surroundings(w.pass, in)
	world.Link = func(p string) (string, bool) { return w.link(in, p) }
	return world
}

// base lowers the safety where the stage's base image isn't known.
func (w *worlds) base(in *dockerfile.Instruction, v *verdict) {
	state := w.pass.State(in)
	root := w.root(in.Stage)
	switch ref, _ := w.pass.BaseRef(root); {
	case state.Image == nil:
		v.less(lint.Safe, "the configuration of %s is not known", root.Base)
	case strings.Contains(ref, "onbuild"):
		v.less(lint.Safe, "what the ONBUILD triggers of %s do is not known", root.Base)
	}
	for name := range state.Open {
		if strings.HasSuffix(name, "PATH") {
			v.less(lint.Safe, "the value of %s is not known", name)
		}
	}
	for _, st := range w.lineage[in.Stage][1:] {
		for _, i := range st.Instructions {
			if i.Trigger != nil {
				v.less(lint.Safe, "the stage %s has ONBUILD triggers", st.Base)
			}
		}
	}
}

// link says why a path may lead elsewhere where in stands: the base image has a
// link there, or something above in may have made one, to the place or into it.
// Docker Hub's official images have no links outside of the system's own
// folders.
func (w *worlds) link(in *dockerfile.Instruction, p string) (why string, unlikely bool) {
	if p == "/" {
		return "", false
	}
	for _, st := range w.lineage[in.Stage] {
		for _, other := range st.Instructions {
			if st == in.Stage && other.Span.Start >= in.Span.Start {
				break
			}
			if why, unlikely := w.mayLink(other, p); why != "" {
				return why, unlikely
			}
		}
	}
	root := w.root(in.Stage)
	if ref, ok := w.pass.BaseRef(root); !ok || !official(ref) {
		first, _, _ := strings.Cut(p[1:], "/")
		return fmt.Sprintf("whether /%s is a link in %s is not known", first, root.Base), true
	}
	return "", false
}

// mayLink says that an instruction may make p a link, or have the system look
// into it.
func (w *worlds) mayLink(in *dockerfile.Instruction, p string) (why string, unlikely bool) {
	switch in.Name {
	case "COPY", "ADD":
		dest, ok := w.destination(in)
		if !ok || dest != p && within(dest, p) && w.bringsFolders(in, dest, p) {
			return fmt.Sprintf("whether %s is a link among what %s brings is not known", p, quoted(w.pass, in)), true
		}
		for _, settings := range []string{"/etc/ld.so.conf", "/etc/apt/apt.conf", "/etc/dpkg/"} {
			if strings.HasPrefix(dest, settings) || within(dest, settings) && dest != "/" && dest != "/etc" {
				return fmt.Sprintf("whether %s leads the system to %s is not known", quoted(w.pass, in), p), true
			}
		}
	case "RUN":
		s := w.of[in]
		if s == nil || s.opaque {
			return "whether a step above makes " + p + " a link is not known", true
		}
		for i, c := range s.commands {
			switch {
			case s.uses[i] == nil && !ecosystem.Inert(c) && !ecosystem.System(c) && !strings.HasPrefix(c.Name(), "docker-php-"):
				return fmt.Sprintf("whether %s makes %s a link is not known", cmp.Or(c.Name(), "a step above"), p), true
			case tells(c, p):
				return fmt.Sprintf("%s names %s in a step above", c.Name(), p), false
			}
		}
		for at := p; at != "/"; at = path.Dir(at) {
			for _, act := range effect.On(s.commands, s.scene(), at) {
				switch act.Command.Name() {
				case "ln", "mv", "rename", "cp", "tar", "bsdtar", "unzip", "rsync", "cpio", "7z", "git":
					return fmt.Sprintf("%s touches %s in a step above", act.Command.Name(), at), false
				}
			}
		}
	}
	return "", false
}

// tells reports that a command writes a text, and so perhaps a setting, that
// names a path.
func tells(c *shell.Command, p string) bool {
	switch c.Name() {
	case "echo", "printf", "sed", "awk":
		return slices.ContainsFunc(c.Args(), func(word shell.Word) bool {
			_, rest, ok := strings.Cut(word.Value, p)
			return ok && (rest == "" || !strings.ContainsAny(rest[:1], "-_.") && !unicode.IsLetter(rune(rest[0])))
		})
	case "cat", "tee":
		return slices.ContainsFunc(c.Redirects, func(r shell.Redirect) bool { return strings.HasPrefix(r.Op, "<<") }) // what it says isn't looked at
	}
	return false
}

// bringsFolders reports that a COPY to a folder above p may bring the next
// component of p: single files of other names don't.
func (w *worlds) bringsFolders(in *dockerfile.Instruction, dest, p string) bool {
	c, ok := copied(in)
	if !ok {
		return true
	}
	next := strings.SplitN(strings.TrimPrefix(strings.TrimPrefix(p, dest), "/"), "/", 2)[0]
	return slices.ContainsFunc(c.SourcePaths, func(src string) bool {
		return !w.singleFile(src) || path.Base(src) == next
	})
}

func copied(in *dockerfile.Instruction) (instructions.SourcesAndDest, bool) {
	switch c := in.Command.(type) {
	case *instructions.CopyCommand:
		return c.SourcesAndDest, true
	case *instructions.AddCommand:
		return c.SourcesAndDest, true
	}
	return instructions.SourcesAndDest{}, false
}

// officialImages are images of Docker Hub's library that projects build on.
// They have no links outside of the system's own folders.
var officialImages = strings.Fields(`
	almalinux alpine amazoncorretto amazonlinux archlinux bash buildpack-deps bun busybox caddy composer debian
	eclipse-temurin elixir erlang fedora gcc golang gradle groovy haproxy haskell httpd julia mariadb maven memcached
	mongo mysql nginx node openjdk oraclelinux perl php postgres pypy python r-base rabbitmq redis rockylinux ruby rust
	sapmachine swift tomcat traefik ubuntu`)

// official reports an image of Docker Hub's library, there or on a public
// mirror of it. Any other name without a registry may be an image that was
// built on this machine.
func official(ref string) bool {
	ref, _, _ = strings.Cut(ref, "@")
	for _, prefix := range []string{"index.docker.io/", "docker.io/", "mirror.gcr.io/", "public.ecr.aws/docker/", "library/"} {
		ref = strings.TrimPrefix(ref, prefix)
	}
	name, _, _ := strings.Cut(ref, ":")
	return slices.Contains(officialImages, name)
}

// isSource reports a COPY or ADD of what changes from build to build: folders
// and code of the context, and what other stages make of them.
func (w *worlds) isSource(in *dockerfile.Instruction) bool {
	c, ok := copied(in)
	if !ok || in.Err != nil {
		return false
	}
	if _, ok := in.Flag("from"); ok {
		return slices.ContainsFunc(w.pass.File.Sources(in), w.fromSources)
	}
	return slices.ContainsFunc(c.SourcePaths, w.changesOften)
}

// fromSources reports that a stage holds what changes with the sources.
func (w *worlds) fromSources(st *dockerfile.Stage) bool {
	if known, ok := w.changes[st]; ok {
		return known
	}
	w.changes[st] = false // ends a circle
	for _, at := range w.lineage[st] {
		for _, in := range at.Instructions {
			if w.isSource(in) || in.Name == "RUN" && slices.ContainsFunc(mounts(w.pass, in), func(m effect.Mount) bool { return m.Kind == "bind" && m.From == "" }) {
				w.changes[st] = true
				return true
			}
		}
	}
	return false
}

var (
	codeFile = regexp.MustCompile(`(?i)\.(go|py|js|mjs|cjs|ts|tsx|jsx|rb|rs|c|cc|cpp|h|hpp|java|kt|scala|cs|fs|php|pl|ex|exs|erl|hs|lua|swift|html|css|jar|war|ear|whl)$`)
	// A name without a dot that is usually a folder of sources.
	codeFolder = []string{"src", "app", "lib", "cmd", "pkg", "internal", "server", "client", "web", "api", "backend", "frontend", "public", "static", "templates", "dist", "build", "target", "out", "source", "code"}
)

// changesOften reports that a source of the context is a folder or a file of
// code, and no manifest, script or setting.
func (w *worlds) changesOften(src string) bool {
	if strings.Contains(src, "://") || strings.HasPrefix(src, "git@") {
		return false
	}
	name := path.Base(path.Clean("/" + src))
	if ecosystem.IsManifest(name) || slices.Contains([]string{"setup.py", "conanfile.py"}, name) {
		return false
	}
	if codeFile.MatchString(name) || name == "/" || name == "*" {
		return true
	}
	if dir := strings.TrimPrefix(path.Clean("/"+src), "/"); w.pass.Facts.Files != nil && fs.ValidPath(dir) && !strings.ContainsAny(dir, "*?[$") {
		return w.isFolder(dir)
	}
	return strings.HasSuffix(src, "/") || slices.Contains(codeFolder, name)
}

// singleFile reports a source that is one file, and no folder.
func (w *worlds) singleFile(src string) bool {
	dir := strings.TrimPrefix(path.Clean("/"+src), "/")
	if strings.ContainsAny(dir, "$") || dir == "" {
		return false
	}
	if w.pass.Facts.Files != nil && fs.ValidPath(dir) && !strings.ContainsAny(dir, "*?[") {
		info, err := fs.Lstat(w.pass.Facts.Files, dir)
		return err == nil && info.Mode().IsRegular()
	}
	return ecosystem.IsManifest(path.Base(dir))
}
