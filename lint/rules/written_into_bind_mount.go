package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/effect"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// WrittenIntoBindMount finds results that are written where they are lost.
var WrittenIntoBindMount = &lint.Rule{
	Name:     "WrittenIntoBindMount",
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "A build writes its result into a bind mount",
		Why: `RUN --mount=type=bind is read-only: a build that writes beside its sources fails. With rw the step may write, and
what it has written is thrown away with the mount. Either way nothing of it is in the image. Let the build write to a
folder outside of the mount, or COPY the sources.

The rule knows the scripts of package.json, make and compilers that write into the working folder, and is silent where
another folder is named for the result, or a part of the mount is a cache mount.`,
		Bad:  file("FROM node:22\nWORKDIR /app\nRUN --mount=type=bind,source=.,target=/app npm run build\n"),
		Good: file("FROM node:22\nWORKDIR /app\nRUN --mount=type=bind,source=.,target=/app npm run build -- --outDir /dist\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			state := p.State(c.in)
			if !state.WorkdirKnown || movesFolder(c.script) || !writesHere(p, c) {
				continue
			}
			list := mounts(p, c.in)
			i := slices.IndexFunc(list, func(m effect.Mount) bool {
				return m.Kind == "bind" && m.Target != "" && m.Target != "/" && within(m.Target, state.Workdir)
			})
			if i < 0 || slices.ContainsFunc(list, func(m effect.Mount) bool {
				return m.Kind != "bind" && m.Target != list[i].Target && within(list[i].Target, m.Target)
			}) {
				continue
			}
			p.Report(lint.Diagnostic{Span: c.Span, Message: fmt.Sprintf("what this writes goes into the bind mount at %s, and is not in the image", list[i].Target)})
		}
		return nil
	},
}

// writesHere reports a command that writes its result into the working folder,
// and isn't told another place.
func writesHere(p *lint.Pass, c ran) bool {
	if slices.ContainsFunc(c.Args(), func(w shell.Word) bool { return strings.Contains(w.Value, "/") || !w.Literal }) {
		return false
	}
	if slices.ContainsFunc(c.script.Commands(), func(o *shell.Command) bool {
		return slices.Contains([]string{"cp", "mv", "tar", "install", "rsync"}, o.Name())
	}) {
		return false // it may take the result out
	}
	for _, u := range installs(p) {
		if u.Command == c.Command && u.Script == "build" {
			return true
		}
	}
	return c.Name() == "tsc" || c.Name() == "webpack" || c.Name() == "vite" && strings.Contains(words(c.Command), " build ")
}
