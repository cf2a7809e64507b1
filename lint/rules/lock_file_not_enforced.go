package rules

import (
	"fmt"
	"path"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// LockFileNotEnforced finds installations that may go past their lock file.
var LockFileNotEnforced = &lint.Rule{
	Name:     "LockFileNotEnforced",
	Severity: lint.Warning,
	Safety:   lint.Unsafe,
	Doc: lint.Doc{
		Title: "Installation may take other versions than the lock file has",
		Why: `The project has a lock file, and the command treats it as a suggestion: where it doesn't fit the manifest, the
command resolves again and goes on, so that the image holds versions that nobody has tried or committed. npm ci,
yarn install --frozen-lockfile and their like fail instead.

The rule speaks where the build context holds the lock file. The fix is unsafe: an installation that went past the lock
file fails with it, which is the point.`,
		Bad: lint.Example{Dockerfile: "FROM node:22\nCOPY package*.json ./\nRUN npm install\n",
			Files: map[string]string{"package.json": "{}", "package-lock.json": "{}"}},
		Good: lint.Example{Dockerfile: "FROM node:22\nCOPY package*.json ./\nRUN npm ci\n",
			Files: map[string]string{"package.json": "{}", "package-lock.json": "{}"}},
	},
	Run: func(p *lint.Pass) error {
		for _, u := range installs(p) {
			if u.Lock == "" || u.use.Dir == "" {
				continue
			}
			folder, ok := contextFolder(p, u)
			if !ok || !inContext(p, path.Join(folder, u.Lock)) {
				continue
			}
			d := lint.Diagnostic{Span: u.Span, Message: fmt.Sprintf("%s may take other versions than %s has: %s keeps to it", u.use.Title, u.Lock, u.Frozen)}
			d.Evidence = []lint.Evidence{{What: path.Join(folder, u.Lock), Says: "is in the build context"}}
			if verb, ok := u.use.Verb(); ok && verb.Raw == verb.Value {
				fix := edit.Edit{Span: edit.Span{Start: verb.Span.End, End: verb.Span.End}, New: " " + u.Frozen}
				if u.FrozenVerb != "" {
					fix = edit.Edit{Span: verb.Span, New: u.FrozenVerb}
				}
				d.Fix = &lint.Fix{Message: "Keep to the lock file", Safety: lint.Unsafe, Edits: []edit.Edit{fix}, Doubt: "the installation fails where the lock file doesn't fit the manifest"}
			}
			p.Report(d)
		}
		return nil
	},
}

// contextFolder is the folder of the build context whose manifest is where the
// command runs: that of the nearest COPY of a package.json above it.
func contextFolder(p *lint.Pass, u install) (string, bool) {
	if p.Facts.Files == nil {
		return "", false
	}
	folder, found := "", false
	for _, in := range u.in.Stage.Instructions {
		if in.Span.Start >= u.in.Span.Start {
			break
		}
		for _, source := range copiedSources(in) {
			switch {
			case source == ".":
				folder, found = path.Clean(u.use.Dir), true
			case path.Base(source) == u.Lock || path.Base(source) == "package*.json" || path.Base(source) == u.Lock+"*":
				folder, found = path.Dir(source), true
			}
		}
	}
	return folder, found
}
