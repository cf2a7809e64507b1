package lint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/docker/buildx/bake"
	"github.com/docker/buildx/util/urlutil"
)

// isBake reports a path that is named like a bake or a compose file.
func isBake(name string) bool {
	base := strings.ToLower(filepath.Base(name))
	switch filepath.Ext(base) {
	case ".hcl", ".yml", ".yaml":
		return true
	case ".json":
		return strings.Contains(base, "bake")
	}
	return false
}

// isCompose reports a path that bake reads as a compose file.
func isCompose(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yml" || ext == ".yaml"
}

// bakeTargets are the Dockerfiles that bake and compose files build, read by
// the code of `docker buildx bake` as one definition, later files over earlier
// ones. A Dockerfile that several of their targets build is there once.
func bakeTargets(ctx context.Context, o *Options, names []string) []target {
	files, err := readBake(names)
	if err == nil {
		var found []target
		if found, err = o.bake(ctx, files); err == nil {
			return found
		}
	}
	if err == ctx.Err() {
		return nil
	}
	return []target{{path: names[0], err: oneLine(err)}}
}

func readBake(names []string) ([]bake.File, error) {
	var files []bake.File
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, readError(err)
		}
		data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
		f.Close() // it was only read
		if err != nil {
			return nil, readError(err)
		}
		if len(data) > maxSize {
			return nil, fmt.Errorf("it is larger than %d bytes; check the path", maxSize)
		}
		files = append(files, bake.File{Name: name, Data: data})
	}
	return files, nil
}

func (o *Options) bake(ctx context.Context, files []bake.File) ([]target, error) {
	// Compose resolves paths from its file, bake from the current folder.
	opt := bake.ParseOpt{FileRelativePaths: !slices.ContainsFunc(files, func(f bake.File) bool { return !isCompose(f.Name) })}
	defaults := map[string]string{
		"BAKE_CMD_CONTEXT":    "cwd://",
		"BAKE_LOCAL_PLATFORM": platforms.Format(platforms.DefaultSpec()),
	}
	config, _, err := bake.ParseFiles(files, defaults, o.Vars, opt)
	if err != nil {
		return nil, err
	}
	wanted := slices.Clone(o.Targets)
	if len(wanted) == 0 {
		wanted = built(config)
	}
	if len(wanted) == 0 {
		return nil, errors.New("it has no target that is built; name a bake or compose file that has one")
	}
	found, _, err := bake.ReadTargets(ctx, files, wanted, o.Set, defaults, o.Vars, &bake.EntitlementConf{}, opt)
	if err != nil {
		return nil, err
	}
	hosts := make([]*host, len(files))
	for i, f := range files {
		hosts[i] = &host{name: f.Name, src: f.Data}
	}
	byFile := map[string]*target{}
	var order []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		t, key := dockerfileOf(name, found[name], hosts)
		t.stages = stages(config)
		if byFile[key] == nil {
			byFile[key] = &t
			order = append(order, key)
		}
		byFile[key].builds = append(byFile[key].builds, o.buildsOf(name, found[name])...)
	}
	targets := make([]target, 0, len(order))
	for _, key := range order {
		targets = append(targets, *byFile[key])
	}
	together := newGroup(config, targets)
	for i := range targets {
		targets[i].group = together
	}
	return targets, nil
}

// built are the targets that aren't there only to be inherited from: members of
// groups, and what no other target inherits.
func built(config *bake.Config) []string {
	inherited := map[string]bool{}
	for _, t := range config.Targets {
		for _, from := range t.Inherits {
			inherited[from] = true
		}
	}
	for _, g := range config.Groups {
		for _, member := range g.Targets {
			delete(inherited, member)
		}
	}
	var names []string
	for _, t := range config.Targets {
		if !inherited[t.Name] {
			names = append(names, t.Name)
		}
	}
	return names
}

// stages are those that any target asks for, of whatever Dockerfile.
func stages(config *bake.Config) []string {
	var names []string
	for _, t := range config.Targets {
		if name := valueOf(t.Target); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// dockerfileOf is the Dockerfile of a bake target, and a key that is the same
// for targets that build the same one.
func dockerfileOf(name string, t *bake.Target, files []*host) (target, string) {
	if t.DockerfileInline != nil {
		in := locate(*t.DockerfileInline, files)
		at := in.host.name
		if in.lines == nil {
			at += "#" + name
		}
		return target{path: at, inline: in}, "inline " + at + "\x00" + in.text
	}
	dir, remote := folder(t.Context)
	file := "Dockerfile"
	if t.Dockerfile != nil {
		file = *t.Dockerfile
	}
	inWork := strings.HasPrefix(file, "cwd://")
	file = filepath.FromSlash(path.Clean(strings.TrimPrefix(file, "cwd://")))
	switch {
	case urlutil.IsRemoteURL(file), remote && !inWork:
		return target{path: name, err: fmt.Errorf("the Dockerfile of this target isn't on this machine (%s), and was not checked", valueOf(t.Context))}, "remote " + name
	case !inWork && !filepath.IsAbs(file):
		file = filepath.Join(dir, file)
	}
	return target{path: file}, file
}

// buildsOf are the builds of a bake target: one for each platform.
func (o *Options) buildsOf(name string, t *bake.Target) []build {
	b := build{name: name, target: name, args: map[string]string{}, named: t.Contexts, stage: valueOf(t.Target)}
	b.context, b.remote = folder(t.Context)
	for key, value := range t.Args {
		if value != nil {
			b.args[key] = *value
		}
	}
	maps.Copy(b.args, o.Args)
	wanted := t.Platforms
	if o.Platform != "" {
		wanted = []string{o.Platform}
	}
	if len(wanted) < 2 {
		b.platform = strings.Join(wanted, "")
		return []build{b}
	}
	var all []build
	for _, platform := range wanted {
		b.name, b.platform = name+" for "+platform, platform
		all = append(all, b)
	}
	return all
}

// folder is where a bake target's context is on this machine.
func folder(context *string) (dir string, remote bool) {
	where := valueOf(context)
	switch {
	case where == "":
		return ".", false
	case urlutil.IsRemoteURL(where), where == "-", strings.HasPrefix(where, "target:"), strings.HasPrefix(where, "docker-image:"), strings.HasPrefix(where, "oci-layout:"):
		return "", true
	}
	return filepath.FromSlash(path.Clean(strings.TrimPrefix(where, "cwd://"))), false
}

func valueOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// oneLine is an error without the excerpt that the reader of HCL draws below it.
func oneLine(err error) error {
	text, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	if text == err.Error() {
		return err
	}
	return fmt.Errorf("%s", text)
}
