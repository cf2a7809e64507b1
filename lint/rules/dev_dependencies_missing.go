package rules

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// DevDependenciesMissing finds builds whose tools weren't installed.
var DevDependenciesMissing = &lint.Rule{
	Name:     "DevDependenciesMissing",
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "The project is built without its development dependencies",
		Why: `Compilers and bundlers are development dependencies. An installation that leaves those out, and a build behind it in
the same stage, fails with "tsc: not found", or takes a tool from somewhere else. Install everything in the stage that
builds, and leave development's packages out in a stage of their own for the runtime.

The rule is silent where the build context shows that the project has no development dependencies.`,
		Bad:  file("FROM node:22 AS build\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci --omit=dev\nCOPY . .\nRUN npm run build\n"),
		Good: file("FROM node:22 AS build\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\n"),
	},
	Run: func(p *lint.Pass) error {
		lean := map[*dockerfile.Stage]*install{} // the last installation without development's packages
		for _, u := range installs(p) {
			st := u.in.Stage
			switch {
			case u.use.Installs && u.NoDev != "":
				lean[st] = &u
			case u.use.Installs:
				delete(lean, st)
			case u.Script == "build" && lean[st] != nil && needsDev(p, *lean[st]):
				before := lean[st]
				p.Report(lint.Diagnostic{
					Span:     u.Span,
					Message:  fmt.Sprintf("the build script needs development dependencies, which %s %s has left out", before.use.Title, before.NoDev),
					Evidence: []lint.Evidence{{What: before.Span.Of(p.File.Src), Says: "installs no development dependencies"}},
				})
			}
		}
		return nil
	},
}

// needsDev reports that the project has development dependencies, or may have.
func needsDev(p *lint.Pass, u install) bool {
	if p.Facts.Files == nil || u.use.Dir == "" {
		return true
	}
	data, err := fs.ReadFile(p.Facts.Files, path.Join(u.use.Dir, "package.json"))
	if err != nil {
		return true // it may be in another folder
	}
	var project struct {
		Dev map[string]any `json:"devDependencies"`
	}
	return json.Unmarshal(data, &project) != nil || len(project.Dev) > 0
}
