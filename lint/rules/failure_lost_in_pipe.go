package rules

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// FailureLostInPipe finds pipes whose left side may fail unnoticed.
var FailureLostInPipe = &lint.Rule{
	Name:     "FailureLostInPipe",
	Aliases:  []string{"DL4006"},
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "A failure on the left of a pipe goes unnoticed",
		Why: `A pipe's exit code is that of its last command. In "curl … | sh" a download that fails gives the shell an empty
script, which succeeds: the step is cached as done, and the image lacks what it was to install. With
SHELL ["/bin/bash", "-o", "pipefail", "-c"] (in Alpine ["/bin/ash", "-eo", "pipefail", "-c"]) the pipe fails; a download
to a file needs no pipe at all.

The rule speaks of downloads, and only where the command behind the pipe is content with an empty input: tar, gzip, gpg
and checksums are not. The strict profile speaks of every pipe.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN curl -fsSL https://example.com/install.sh | sh\n"),
		Good: file("FROM debian:bookworm-slim\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl -fsSL https://example.com/install.sh | sh\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, st := range p.File.Stages {
			runs, _ := runScripts(st)
			for _, r := range runs {
				if !slices.ContainsFunc(p.State(r.in).Shell, isPipefail) && !strings.Contains(r.script.Text.String(), "pipefail") {
					reportPipes(p, r)
				}
			}
		}
		return nil
	},
}

func isPipefail(arg string) bool { return arg == "pipefail" }

// reportPipes reports the first pipe of a script that loses a failure.
func reportPipes(p *lint.Pass, r runScript) {
	done := false
	syntax.Walk(r.script.Syntax, func(n syntax.Node) bool {
		pipe, ok := n.(*syntax.BinaryCmd)
		if !ok || done || pipe.Op != syntax.Pipe && pipe.Op != syntax.PipeAll {
			return !done
		}
		if _, simple := pipe.Y.Cmd.(*syntax.CallExpr); !simple {
			return true
		}
		span := r.script.Text.Span(edit.Span{Start: int(pipe.Pos().Offset()), End: int(pipe.Y.Cmd.End().Offset())})
		left, right := pipeEnds(r.script, span)
		if left == nil || right == nil {
			return true
		}
		if p.Config().Profile < lint.Strict && (!downloads(left) || needsInput(right)) {
			return true
		}
		done = true
		p.Report(lint.Diagnostic{Span: span, Message: fmt.Sprintf("if %s fails, the step goes on: the pipe has the exit code of %s, and pipefail isn't set", left.Name(), right.Name())})
		return false
	})
}

// pipeEnds are the first and the last command of a pipe.
func pipeEnds(s *shell.Script, span edit.Span) (first, last *shell.Command) {
	for _, c := range s.Commands() {
		if span.Contains(c.Span) && c.Name() != "" && c.Piped {
			if first == nil {
				first = c
			}
			last = c
		}
	}
	return first, last
}

func downloads(c *shell.Command) bool { return c.Name() == "curl" || c.Name() == "wget" }

// needsInput reports a command that fails without input.
func needsInput(c *shell.Command) bool {
	switch c.Name() {
	case "tar", "bsdtar", "gunzip", "gzip", "unxz", "xz", "zcat", "xzcat", "bunzip2", "bzip2", "unzip", "zstd", "gpg", "apt-key", "sha256sum", "sha512sum", "sha1sum", "md5sum", "cpio", "grep", "patch", "git", "rpm2cpio", "openssl":
		return true
	}
	return false
}
