package rules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// DependenciesAfterSource finds installations that every change of the sources
// runs again.
//
// What has to be proven before an installation is moved unseen is in
// dependencies_proof.go.
var DependenciesAfterSource = &lint.Rule{
	Name:     "DependenciesAfterSource",
	Severity: lint.Warning,
	Safety:   lint.BuildSafe,
	Reorders: true,
	Doc: lint.Doc{
		Title: "Dependencies are installed again after every change of the sources",
		Why: `BuildKit runs a step again when anything above it changed. An installation below "COPY . ." runs again for every
edited line, although it reads the manifest and the lock file alone. Copied first, those keep the installation cached
until a dependency changes.

The frontend moves an installation by itself where the build context proves that it reads nothing else: no lifecycle
scripts, no workspaces, no local or patched packages, the lock file has what the manifest asks for, and what is installed
doesn't come with the sources, too. Where "npm install" may write the lock file anew, the sources no longer bring theirs
(COPY --exclude, of Dockerfile syntax 1.19: outside of the frontend, the fix is safe where the file shows that its builder reads that).
Elsewhere the fix names what is missing to the proof.`,
		Bad: lint.Example{
			Dockerfile: "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
			Files: map[string]string{
				"package.json":      `{"name":"api","dependencies":{"express":"5.1.0"}}`,
				"package-lock.json": `{"name":"api","lockfileVersion":3,"packages":{"":{"name":"api"},"node_modules/express":{"version":"5.1.0"}}}`,
			},
			Images: map[string]string{"node:22": `{"config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}}`},
		},
		Good: lint.Example{
			Dockerfile: "FROM node:22\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\n",
			Images:     map[string]string{"node:22": `{"config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}}`},
		},
	},
	Run: func(p *lint.Pass) error {
		all := newWorlds(p)
		for _, s := range all.list {
			for i, u := range s.uses {
				if u == nil || !u.Installs || u.Tool.Manifests == nil {
					continue
				}
				if src := all.sources(s, u); src != nil {
					all.reportInstall(s, i, src)
					break
				}
			}
		}
		return nil
	},
}

// sourceCopy is a COPY or ADD that brings a whole folder of the context.
type sourceCopy struct {
	in       *dockerfile.Instruction
	dir      string // the folder in the context; "." for its root
	dest     string // as written
	absolute string // "" where it isn't known
	next     bool   // the installation is the very next instruction
}

// sources is the last COPY above an installation that brings the sources into
// the folder it runs in; nil where there is none, or where dependencies were
// installed above it, too.
func (all *steps) sources(s *step, u *ecosystem.Use) *sourceCopy {
	var found *sourceCopy
	moved := false // WORKDIR since the COPY
	for i, in := range s.in.Stage.Instructions {
		if in == s.in {
			if found != nil {
				found.next = i > 0 && s.in.Stage.Instructions[i-1] == found.in
			}
			break
		}
		if in.Name == "WORKDIR" {
			moved = true
		}
		if src := all.sourceCopy(in); src != nil {
			found, moved = src, false
		}
		if o := all.of[in]; o != nil && found == nil && slices.ContainsFunc(o.uses, func(other *ecosystem.Use) bool {
			return other != nil && other.Installs && other.Tool.Name == u.Tool.Name
		}) {
			return nil
		}
	}
	switch {
	case found == nil:
		return nil
	case found.absolute != "" && s.state.WorkdirKnown:
		if found.absolute != s.state.Workdir {
			return nil
		}
	case moved || (found.dest != "." && found.dest != "./"):
		return nil
	}
	return found
}

func (all *steps) sourceCopy(in *dockerfile.Instruction) *sourceCopy {
	src := contextCopy(in)
	if len(src.SourcePaths) != 1 || len(src.SourceContents) > 0 || strings.ContainsAny(src.SourcePaths[0], "*?[$") {
		return nil
	}
	dir := strings.TrimPrefix(path.Clean("/"+src.SourcePaths[0]), "/")
	if dir == "" {
		dir = "."
	}
	if dir != "." && !all.isFolder(dir) {
		return nil
	}
	c := &sourceCopy{in: in, dir: dir, dest: src.DestPath}
	c.absolute, _ = all.absolute(in, src.DestPath)
	return c
}

// reportInstall reports the installation of a step's i-th command.
func (all *worlds) reportInstall(s *step, i int, src *sourceCopy) {
	u := s.uses[i]
	e := s.env(i)
	e.Project = ecosystem.Project{Files: all.pass.Facts.Files, Dir: path.Join(src.dir, u.Dir)}
	// That the base isn't known is said once, by the proof.
	e.Complete = e.Complete || s.state.Image == nil
	m := u.Tool.Manifests(u, e)
	if len(m.Files) == 0 {
		return // there is nothing to copy first
	}
	line := all.pass.File.Text(src.in.Keyword) + " " + src.sourceText() + " " + src.dest
	d := lint.Diagnostic{
		Span:    u.Command.Span,
		Message: fmt.Sprintf("%s runs again after every change of the sources: %s stands above it", u.Title, line),
	}
	d.Evidence = churn(all.pass, src.in, below(e.Project.Dir, m.Files))
	v := all.movable(s, i, src, e, m)
	if v.blocked != "" {
		d.Message += ", and " + v.blocked
		d.Evidence = append(d.Evidence, lint.Evidence{What: u.Title, Says: v.blocked})
	} else {
		d.Fix = &lint.Fix{
			Message: fmt.Sprintf("Copy %s first, and run %s above %s", strings.Join(m.Files, ", "), u.Title, line),
			Safety:  v.safety,
			Doubt:   v.doubt,
			Edits:   all.hoist(s, u, src, m),
		}
	}
	all.pass.Report(d)
}

// below are the paths in the context of files below a folder.
func below(dir string, files []string) []string {
	var names []string
	for _, f := range files {
		names = append(names, path.Join(dir, f))
	}
	return names
}

func (c *sourceCopy) sourceText() string {
	switch cmd := c.in.Command.(type) {
	case *instructions.CopyCommand:
		return cmd.SourcePaths[0]
	case *instructions.AddCommand:
		return cmd.SourcePaths[0]
	}
	return c.dir
}

// hoist copies the manifests above the sources' COPY, and moves the RUN behind
// that with the comments that belong to it. Where something stands between the
// two, it is the sources' COPY that moves, below the RUN.
func (all *steps) hoist(s *step, u *ecosystem.Use, src *sourceCopy, m ecosystem.Manifests) []edit.Edit {
	f := all.pass.File
	at := f.InsertAbove(src.in)
	first := edit.Edit{Span: edit.Span{Start: at, End: at}, New: all.manifestCopy(u, src, m), Origin: src.in.Span}
	// What the installation has made of the manifests stays, as it did below.
	exclude := ""
	for _, name := range m.Rewritten {
		exclude += " --exclude=" + path.Join(u.Dir, name)
	}
	flags := src.in.Keyword.End
	if src.next {
		run := all.lines(s.in)
		edits := []edit.Edit{first, {Span: first.Span, New: all.text(run), Origin: run}, {Span: run}}
		if exclude != "" {
			edits = append(edits, edit.Edit{Span: edit.Span{Start: flags, End: flags}, New: exclude})
		}
		return edits
	}
	lines := all.lines(src.in)
	text := all.text(lines)
	text = text[:flags-lines.Start] + exclude + text[flags-lines.Start:]
	below, ok := f.InsertBelow(s.in)
	if !ok {
		text = f.Newline + text
	}
	return []edit.Edit{first, {Span: lines}, {Span: edit.Span{Start: below, End: below}, New: text, Origin: lines}}
}

// lines are those of an instruction and of the comments that belong to it.
func (all *steps) lines(in *dockerfile.Instruction) edit.Span {
	f := all.pass.File
	return edit.Span{Start: f.InsertAbove(in), End: f.WholeLines(in.Span).End}
}

// text is that of whole lines.
func (all *steps) text(lines edit.Span) string {
	text := all.pass.File.Text(lines)
	if !strings.HasSuffix(text, "\n") {
		text += all.pass.File.Newline
	}
	return text
}

// manifestCopy is the line that copies the manifests as src copies the sources.
func (all *steps) manifestCopy(u *ecosystem.Use, src *sourceCopy, m ecosystem.Manifests) string {
	f := all.pass.File
	keyword := "COPY"
	if k := f.Text(src.in.Keyword); k == strings.ToLower(k) {
		keyword = "copy"
	}
	words := []string{keyword}
	for _, flag := range src.in.Flags {
		words = append(words, f.Text(flag.Span))
	}
	for _, name := range m.Files {
		words = append(words, path.Join(src.dir, u.Dir, name))
	}
	words = append(words, folder(src.dest, u.Dir))
	return f.Indent(src.in.Span.Start) + strings.Join(words, " ") + f.Newline
}

// folder is a destination written as a folder.
func folder(dest, dir string) string {
	if dir != "." {
		dest = strings.TrimSuffix(dest, "/") + "/" + dir
	}
	if !strings.HasSuffix(dest, "/") {
		dest += "/"
	}
	return dest
}
