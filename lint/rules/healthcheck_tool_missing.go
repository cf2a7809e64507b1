package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// HealthcheckToolMissing finds health checks with a program that the image
// hasn't got.
var HealthcheckToolMissing = &lint.Rule{
	Name:     "HealthcheckToolMissing",
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "HEALTHCHECK calls a program that the image lacks",
		Why: `A health check runs in the container. Where its program isn't there, every check fails, and an orchestrator restarts
a service that is well. Alpine has wget and no curl, Debian's slim images have neither, and scratch and distroless
images have no shell either.

The rule knows these official images and those that are made of them, and looks for the program's name in what the final
stage runs and copies. Where the files of the base image are at hand, it looks for any program there, in the folders of
PATH, and is silent where a step installs packages, which may bring it.`,
		Bad:  file("FROM node:22-alpine\nHEALTHCHECK CMD curl -f http://localhost:3000/ || exit 1\nCMD [\"node\", \"server.js\"]\n"),
		Good: file("FROM node:22-alpine\nHEALTHCHECK CMD wget -qO /dev/null http://localhost:3000/ || exit 1\nCMD [\"node\", \"server.js\"]\n"),
	},
	Run: func(p *lint.Pass) error {
		final := p.File.Final(p.Facts.Target)
		if final == nil {
			return nil
		}
		base, ok := p.BaseRef(origin(final))
		if !ok {
			return nil
		}
		for _, st := range final.Lineage() {
			for _, in := range st.Instructions {
				if in.Name != "HEALTHCHECK" {
					continue
				}
				if tool, known := healthTool(p, final, in); known {
					if tool != "" {
						p.Report(lint.Diagnostic{Span: in.Span, Message: fmt.Sprintf("the health check calls %s, which %s doesn't have and no step installs: every check fails", tool, base),
							Evidence: []lint.Evidence{{What: "the files of " + base, Says: "hold no " + tool}}})
					}
					continue
				}
				for _, tool := range []string{"curl", "wget"} {
					if calls(in, tool) && lacks(base, tool) && !brings(final, in, tool) {
						p.Report(lint.Diagnostic{Span: in.Span, Message: fmt.Sprintf("the health check calls %s, which %s doesn't have and no step installs: every check fails", tool, base)})
					}
				}
			}
		}
		return nil
	},
}

// healthTool is the program that a health check starts with, its shell included,
// where the image is known to lack it; "" where it has it. Not known where that
// can't be told.
func healthTool(p *lint.Pass, final *dockerfile.Stage, in *dockerfile.Instruction) (lacking string, known bool) {
	c, ok := in.Command.(*instructions.HealthCheckCommand)
	if !ok || c.Health == nil || len(c.Health.Test) < 2 {
		return "", false
	}
	programs := []string{c.Health.Test[1]}
	if state := p.Result(final); c.Health.Test[0] == "CMD-SHELL" {
		programs = []string{firstProgram(c.Health.Test[1])}
		if state.ShellKnown && len(state.Shell) == 0 {
			programs = []string{"/bin/sh", programs[0]}
		}
	}
	for _, name := range programs {
		places, ok := programPlaces(p.Result(final), name)
		if !ok {
			return "", false
		}
		has, known := inBase(p.Result(final), places)
		if known && !has && !mayMake(p, final.Lineage(), places...) {
			return name, true
		}
		if !has {
			return "", false
		}
	}
	return "", true
}

// shellBuiltins are commands that need no program (POSIX, Shell Command Language,
// and what dash, BusyBox and bash have besides).
var shellBuiltins = strings.Fields(". : [ [[ alias bg break cd command continue echo eval exec exit export false fg getopts hash jobs kill local printf pwd read readonly return set shift source test times trap true type ulimit umask unalias unset wait")

// firstProgram is the program that a script calls before all others; "" where that
// isn't known, or the shell has it built in.
func firstProgram(script string) string {
	text := &edit.Text{}
	text.Add([]byte(script), edit.Span{End: len(script)})
	commands := shell.Parse(text, shell.POSIX).Commands()
	if len(commands) == 0 || commands[0].Conditional || len(commands[0].Words) == 0 || !commands[0].Words[0].Literal || len(commands[0].Wrappers) > 0 {
		return ""
	}
	word := commands[0].Words[0].Value
	if slices.Contains(shellBuiltins, word) {
		return ""
	}
	return word
}

// calls reports that the health check's command starts with the program.
func calls(in *dockerfile.Instruction, tool string) bool {
	if len(in.Args) < 2 {
		return false
	}
	return slices.Contains(strings.Fields(in.Args[1].Value), tool)
}

// lacks reports that an official image is known not to have the program
// (alpine: busybox has wget; debian and ubuntu: neither in the images without
// buildpack-deps; hub.docker.com/_/node, python, ruby, golang for their tags).
func lacks(ref, tool string) bool {
	name, tag, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(ref, "docker.io/"), "library/"), ":")
	tag, _, _ = strings.Cut(tag, "@")
	alpine := name == "alpine" || strings.Contains(tag, "alpine")
	slim := name == "debian" || name == "ubuntu" || strings.Contains(tag, "slim")
	switch name {
	case "alpine", "debian", "ubuntu", "node", "python", "ruby", "golang", "rust", "openjdk", "eclipse-temurin":
	case "scratch":
		return true
	default:
		return strings.HasPrefix(name, "gcr.io/distroless/") && !strings.Contains(tag, "debug")
	}
	return alpine && tool == "curl" && name != "eclipse-temurin" || slim && !alpine && name != "eclipse-temurin"
}

// brings reports that a step of the final image mentions the program, or is one
// that isn't known to leave it out.
func brings(final *dockerfile.Stage, check *dockerfile.Instruction, tool string) bool {
	for _, st := range final.Lineage() {
		for _, in := range st.Instructions {
			switch in.Name {
			case "RUN", "COPY", "ADD":
				text := in.Span.Of(st.File.Src)
				if in != check && (strings.Contains(text, tool) || strings.Contains(text, "playwright") || strings.Contains(text, ".sh")) {
					return true
				}
			}
		}
	}
	return false
}
