package rules

import (
	"fmt"
	"path"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// OwnerChangedTooLate finds changes of owner or mode that put every file into
// the image twice.
var OwnerChangedTooLate = &lint.Rule{
	Name:     "OwnerChangedTooLate",
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "Owner or mode of copied files is changed a layer later",
		Why: `A layer holds whole files. chown -R or chmod -R on what a COPY has brought writes each of them again into the layer of
the RUN, so that the image has them twice. COPY --chown and --chmod set both as they copy.

Only the stages that the final image is made from count.`,
		Bad:  file("FROM node:22\nWORKDIR /app\nCOPY --from=build /app /app\nRUN chown -R node:node /app\n"),
		Good: file("FROM node:22\nWORKDIR /app\nCOPY --from=build --chown=node:node /app /app\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			flag := map[string]string{"chown": "--chown", "chgrp": "--chown", "chmod": "--chmod"}[c.Name()]
			if flag == "" || !inFinal(p, c.in) || !recursive(c) {
				continue
			}
			for _, folder := range changed(p, c) {
				if from := broughtBy(p, c, folder); from != "" && !strings.Contains(from, flag) {
					severity := lint.Warning
					if words := strings.Fields(from); path.Ext(words[len(words)-1]) != "" {
						severity = lint.Info // one file
					}
					p.Report(lint.Diagnostic{Span: c.Span, Severity: severity, Message: fmt.Sprintf("%s -R writes the files of %s into the image a second time: %q with %s does it as it copies", c.Name(), folder, from, flag)})
					break
				}
			}
		}
		return nil
	},
}

func recursive(c ran) bool {
	for _, w := range c.Args() {
		if w.Value == "--recursive" || len(w.Value) > 1 && w.Value[0] == '-' && w.Value[1] != '-' && strings.Contains(w.Value, "R") {
			return true
		}
	}
	return false
}

// changed are the absolute paths behind the owner or mode.
func changed(p *lint.Pass, c ran) []string {
	state := p.State(c.in)
	var list []string
	operands := 0
	for _, w := range c.Args() {
		name := strings.TrimSuffix(w.Value, "/*")
		if strings.HasPrefix(name, "-") {
			continue
		}
		if operands++; operands == 1 || name == "" || strings.ContainsAny(name, "*?[$~{") {
			continue
		}
		if !path.IsAbs(name) {
			if !state.WorkdirKnown || movesFolder(c.script) {
				continue
			}
			name = path.Join(state.Workdir, name)
		}
		if name = path.Clean(name); name != "/" {
			list = append(list, name)
		}
	}
	return list
}
