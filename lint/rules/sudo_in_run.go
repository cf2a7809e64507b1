package rules

import (
	"fmt"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// SudoInRun finds sudo where it changes nothing.
var SudoInRun = &lint.Rule{
	Name:     "SudoInRun",
	Aliases:  []string{"DL3004"},
	Severity: lint.Warning,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "sudo in a RUN",
		Why: `A RUN runs as root unless a USER says otherwise, and sudo as root changes nothing but what the environment and the
signals are. In an image, sudo is a program that makes root out of any user: change the USER for the steps that need
root, and leave it out.

The rule speaks where the user is known to be root, and the fix then takes sudo away. The strict profile speaks of every
sudo.`,
		Bad:  file("FROM alpine:3.20\nUSER root\nRUN sudo mkdir /data\n"),
		Good: file("FROM alpine:3.20\nUSER root\nRUN mkdir /data\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			for _, w := range c.Wrappers {
				if w.Value != "sudo" {
					continue
				}
				state := p.State(c.in)
				isRoot := state.UIDKnown && state.UID == 0 && (state.Image != nil || state.User != "")
				switch {
				case isRoot:
					p.Report(lint.Diagnostic{Span: w.Span, Message: "the user is root here, so that sudo changes nothing", Fix: dropSudo(p, w)})
				case p.Config().Profile >= lint.Strict:
					p.Report(lint.Diagnostic{Span: w.Span, Message: fmt.Sprintf("sudo starts %s as root: USER root above the RUN needs no sudo in the image", c.Name())})
				}
			}
		}
		return nil
	},
}

// dropSudo takes a bare sudo out.
func dropSudo(p *lint.Pass, w shell.Word) *lint.Fix {
	rest := string(p.File.Src[w.Span.End:])
	blank := len(rest) - len(strings.TrimLeft(rest, " \t"))
	if w.Raw != "sudo" || blank == 0 || strings.HasPrefix(rest[blank:], string(p.File.Escape)) {
		return nil
	}
	return &lint.Fix{
		Message: "Remove sudo",
		Safety:  lint.Safe,
		Edits:   []edit.Edit{{Span: edit.Span{Start: w.Span.Start, End: w.Span.End + blank}}},
	}
}
