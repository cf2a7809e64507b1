package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing/fstest"

	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/report"
	"github.com/imgmgr/imgmgr/lint/rules"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// ecosystemsPage shows what is known of each tool by its example: the caches
// that its commands fill, and what the rules make of a Dockerfile that runs
// them below its sources.
func ecosystemsPage(tools []*ecosystem.Tool) (string, error) {
	tools = slices.SortedFunc(slices.Values(tools), func(a, b *ecosystem.Tool) int { return strings.Compare(a.Name, b.Name) })
	var b strings.Builder
	b.WriteString(strings.Replace(generated, "rule or the command", "tool in lint/ecosystem", 1))
	b.WriteString(ecosystemsIntro)
	b.WriteString("\n| tool | cache | folder | id of the mount | kept apart by | shared |\n|---|---|---|---|---|---|\n")
	for _, t := range tools {
		for _, c := range caches(t) {
			fmt.Fprintf(&b, "| [%s](#%s) | %s | `%s` | `%s` | %s | %s |\n", t.Name, t.Name, c.Name, c.Path, c.ID, apart(c), sharing(c))
		}
	}
	for _, t := range tools {
		fmt.Fprintf(&b, "\n## %s\n\n", t.Name)
		if !t.Proven {
			b.WriteString("No image built with it has been proven equal yet, so its caches are only offered.\n\n")
		}
		fmt.Fprintf(&b, "On `%s`, below `COPY . .`", t.Example.Base)
		if names := manifests(t); len(names) > 0 {
			fmt.Fprintf(&b, ", with %s in the context", strings.Join(names, ", "))
		}
		b.WriteString(":\n\n| command | made in the build | offered by lint, and what is missing |\n|---|---|---|\n")
		for _, script := range t.Example.Commands {
			made, offered, err := fixes(t.Example, script)
			if err != nil {
				return "", fmt.Errorf("show %s by its example %q: %w", t.Name, script, err)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.ReplaceAll(script, "|", `\|`), cell(made), cell(offered))
		}
	}
	return b.String(), nil
}

const ecosystemsIntro = `# Package managers and compilers

What imgmgr knows of them, and what it makes of their commands. A cache is mounted, and an
installation moved above the sources, only where the Dockerfile, its build context and the base
image's configuration prove that the image stays the same; the tables show that on an example of
each. The folder is that of root with nothing set; the user, the home folder, variables, options
and the tool's own settings move it, and the mount with them. A platform's mounts are its own
where the cache holds what was built for it, through the digest of the base image. Where package
managers keep what they compiled, the variables that the Dockerfile sets keep mounts apart, too.
`

// caches are those that the commands of a tool's example fill, each once.
func caches(t *ecosystem.Tool) []ecosystem.Cache {
	var list []ecosystem.Cache
	for _, script := range t.Example.Commands {
		for _, c := range commands(script) {
			u := ecosystem.Find(c)
			if u == nil || u.Tool != t || t.Caches == nil {
				continue
			}
			for _, cache := range t.Caches(u, exampleEnv(t.Example)) {
				if !slices.ContainsFunc(list, func(o ecosystem.Cache) bool { return o.Name == cache.Name }) {
					list = append(list, cache)
				}
			}
		}
	}
	return list
}

func commands(script string) []*shell.Command {
	text := &edit.Text{}
	text.Add([]byte(script), edit.Span{Start: 0, End: len(script)})
	return shell.Parse(text, shell.POSIX).Commands()
}

func exampleEnv(e ecosystem.Example) ecosystem.Env {
	env := ecosystem.Env{
		Home: "/root", HomeKnown: true, UIDKnown: true, Vars: map[string]string{}, Complete: true, Base: e.Base,
		Project: ecosystem.Project{Files: exampleFiles(e), Dir: "."},
	}
	for _, kv := range e.Env {
		name, value, _ := strings.Cut(kv, "=")
		env.Vars[name] = value
	}
	return env
}

func exampleFiles(e ecosystem.Example) fstest.MapFS {
	files := fstest.MapFS{"main": &fstest.MapFile{Mode: 0o644}}
	for name, text := range e.Files {
		files[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return files
}

// exampleImage is the configuration of the example's base image, as facts.ImageResolver says.
type exampleImage struct{ config ocispec.Image }

func (i exampleImage) Image(_ context.Context, ref, _ string) (*facts.Image, error) {
	return &facts.Image{Digest: digest.FromString(ref).String(), Config: i.config}, nil
}

// fixes are the repairs of a step that runs script below the sources: those
// that a build makes, and those that are offered or not possible, with why.
func fixes(e ecosystem.Example, script string) (made, offered []string, err error) {
	src := fmt.Sprintf("FROM %s AS build\nWORKDIR /src\nCOPY . .\nRUN %s\nFROM scratch\nCOPY --from=build /src/main /main\n", e.Base, script)
	file, err := dockerfile.Parse("Dockerfile", []byte(src))
	if err != nil {
		return nil, nil, err
	}
	var image exampleImage
	image.config.Config.Env = append([]string{"PATH=/usr/local/bin:/usr/bin:/bin"}, e.Env...)
	world := facts.Context{Files: exampleFiles(e), Images: image, Args: map[string]string{}, Platform: "linux/amd64", NewestSyntax: true}
	found, err := lint.Check(context.Background(), file, world, rebuildRules())
	if err != nil {
		return nil, nil, err
	}
	run := file.Stages[0].Instructions[len(file.Stages[0].Instructions)-1]
	for _, d := range found {
		switch {
		case d.Start < run.Span.Start || d.End > run.Span.End:
		case d.Fix == nil:
			offered = append(offered, "– "+d.Message)
		case d.Fix.Safety == lint.BuildSafe:
			made = append(made, d.Fix.Message)
		case d.Fix.Doubt != "":
			offered = append(offered, fmt.Sprintf("%s: %s", d.Fix.Message, d.Fix.Doubt))
		default:
			offered = append(offered, d.Fix.Message)
		}
	}
	return made, offered, nil
}

// rebuildRules are the rules whose fixes a build may make.
func rebuildRules() []*lint.Rule {
	return slices.DeleteFunc(slices.Clone(rules.All), func(r *lint.Rule) bool { return r.Safety < lint.BuildSafe })
}

func manifests(t *ecosystem.Tool) []string {
	var names []string
	for name := range t.Example.Files {
		names = append(names, "`"+name+"`")
	}
	slices.Sort(names)
	return names
}

func apart(c ecosystem.Cache) string {
	var by []string
	if c.PerBase {
		by = append(by, "base image")
	}
	if c.Project != "" {
		by = append(by, "project")
	}
	if len(by) == 0 {
		return "–"
	}
	return strings.Join(by, ", ")
}

func sharing(c ecosystem.Cache) string {
	if c.Locked {
		return "by one build at a time"
	}
	return "by builds at once"
}

// cell puts sentences into a cell of a table.
func cell(list []string) string {
	if len(list) == 0 {
		return "–"
	}
	return strings.ReplaceAll(report.Prose(strings.Join(list, "; ")), "|", `\|`)
}
