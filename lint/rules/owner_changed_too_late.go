package rules

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// OwnerChangedTooLate finds changes of owner or mode that put every file into
// the image twice.
var OwnerChangedTooLate = &lint.Rule{
	Name:     "OwnerChangedTooLate",
	Severity: lint.Warning,
	Safety:   lint.Unsafe,
	Doc: lint.Doc{
		Title: "Owner or mode of copied files is changed a layer later",
		Why: `A layer holds whole files. chown -R or chmod -R on what a COPY has brought writes each of them again into the layer of
the RUN, so that the image has them twice. COPY --chown and --chmod set both as they copy. The folder itself may be older
than the COPY: the fix leaves its change where it is, without -R.

Only the stages that the final image is made from count.`,
		Bad:  file("FROM node:22\nWORKDIR /app\nCOPY --from=build /app /app\nRUN chown -R node:node /app\n"),
		Good: file("FROM node:22\nWORKDIR /app\nCOPY --chown=node:node --from=build /app /app\nRUN chown node:node /app\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			flag := map[string]string{"chown": "--chown", "chgrp": "--chown", "chmod": "--chmod"}[c.Name()]
			if flag == "" || !inFinal(p, c.in) || !recursive(c) {
				continue
			}
			for _, folder := range changed(p, c) {
				copied := broughtBy(p, c, folder)
				if copied == nil {
					continue
				}
				from := firstLine(p, copied)
				if strings.Contains(from, flag) {
					continue
				}
				severity := lint.Warning
				if words := strings.Fields(from); path.Ext(words[len(words)-1]) != "" {
					severity = lint.Info // one file
				}
				p.Report(lint.Diagnostic{
					Span: c.Span, Severity: severity,
					Message: fmt.Sprintf("%s -R writes the files of %s into the image a second time: %q with %s does it as it copies", c.Name(), folder, from, flag),
					Fix:     setAsCopied(p, c, copied, folder, flag),
				})
				break
			}
		}
		return nil
	},
}

var (
	ownerAndGroup = regexp.MustCompile(`^[\w.-]+:[\w.-]+$`) // chown alone leaves the group, COPY --chown doesn't
	octalMode     = regexp.MustCompile(`^[0-7]{3,4}$`)
	byNumbers     = regexp.MustCompile(`^\d+:\d+$`)
)

// setAsCopied gives the COPY the flag, and takes -R from the command. There is no
// fix where that isn't all that the command does, or where the name may be made
// behind the COPY.
func setAsCopied(p *lint.Pass, c ran, copied *dockerfile.Instruction, folder, flag string) *lint.Fix {
	args := c.Args()
	if len(args) != 3 || args[0].Value != "-R" && args[0].Value != "--recursive" || !c.Known() || copied.Stage != c.in.Stage {
		return nil
	}
	value := args[1].Value
	switch {
	case flag == "--chmod" && octalMode.MatchString(value):
	case c.Name() == "chown" && byNumbers.MatchString(value):
	case c.Name() == "chown" && ownerAndGroup.MatchString(value) && !makesUsers(p, copied, c):
	default:
		return nil
	}
	at := copied.Keyword.End
	return &lint.Fix{
		Message: fmt.Sprintf("Copy with %s=%s", flag, value),
		Safety:  lint.Unsafe,
		Doubt:   "what else lies in " + folder + " is no longer changed",
		Edits: []edit.Edit{
			{Span: edit.Span{Start: at, End: at}, New: " " + flag + "=" + value, Origin: copied.Keyword},
			{Span: edit.Span{Start: args[0].Span.Start, End: args[1].Span.Start}},
		},
	}
}

// makesUsers reports that users or groups are made or changed between a COPY and a
// command.
func makesUsers(p *lint.Pass, copied *dockerfile.Instruction, until ran) bool {
	return slices.ContainsFunc(commands(p), func(c ran) bool {
		return c.Span.Start > copied.Span.Start && c.Span.Start < until.Span.Start &&
			slices.Contains([]string{"useradd", "adduser", "usermod", "groupadd", "addgroup", "groupmod"}, c.Name())
	})
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
