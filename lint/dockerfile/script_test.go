package dockerfile_test

import (
	"testing"

	"github.com/imgmgr/imgmgr/lint/shell"
)

func TestScriptText(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"one line", "RUN  a && b ", "a && b"},
		{"continuations and comments", "RUN --network=none a && \\\n  # no\n\n  b", "a &&   b"},
		{"a heredoc is the script", "RUN <<E\na\n# c\nb \\\n  c\nE", "a\n# c\nb \\\n  c\n"},
		{"tabs are taken off", "RUN <<-E\n\ta\n\t\tb\n c\n\tE", "a\nb\n c\n"},
		{"a heredoc with a number", "RUN 3<<E\na\nE", "a\n"},
		{"the shell's own heredocs", "RUN cat <<A \\\n  3<<-'B' > f\na\nA\n\tb\n\tB", "cat <<A   3<<-'B' > f\na\nA\n\tb\nB"},
		{"CRLF", "RUN a \\\r\n  b\r\n", "a   b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := parse(t, "FROM x\n"+c.src+"\n")
			in := f.Stages[0].Instructions[0]
			if got := f.Script(in).Text.String(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if f.Script(in) != f.Script(in) {
				t.Error("the script is made again")
			}
			for _, complaint := range audit(f) {
				t.Error(complaint)
			}
		})
	}
}

func TestScriptIsForShellFormOfRun(t *testing.T) {
	f := parse(t, "FROM x\nRUN [\"sh\", \"-c\", \"x\"]\nRUN\nCMD x\nENTRYPOINT x\nONBUILD RUN x\n")
	for _, in := range f.Stages[0].Instructions {
		if f.Script(in) != nil {
			t.Errorf("line %d: %s has a script", in.StartLine, in.Name)
		}
	}
	onbuild := f.Stages[0].Instructions[4]
	if s := f.Script(onbuild.Trigger); s == nil || s.Text.String() != "x" {
		t.Errorf("the trigger's script is %v", s)
	}
}

func TestScriptDialect(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      shell.Dialect
	}{
		{"none", "FROM x\nRUN a\n", shell.POSIX},
		{"bash", "FROM x\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN a\n", shell.Bash},
		{"options together", "FROM x\nSHELL [\"bash\", \"-lc\"]\nRUN a\n", shell.Bash},
		{"ash", "FROM x\nSHELL [\"/busybox/ash\", \"-c\"]\nRUN a\n", shell.POSIX},
		{"behind a wrapper", "FROM x\nSHELL [\"conda\", \"run\", \"-n\", \"e\", \"/bin/bash\", \"-c\"]\nRUN a\n", shell.Bash},
		{"without -c", "FROM x\nSHELL [\"/bin/bash\", \"--rcfile\"]\nRUN a\n", shell.Foreign},
		{"PowerShell", "FROM x\nSHELL [\"powershell\", \"-Command\"]\nRUN a\n", shell.Foreign},
		{"cmd", "FROM x\nSHELL [\"cmd\", \"/S\", \"/C\"]\nRUN a\n", shell.Foreign},
		{"python", "FROM x\nSHELL [\"python3\", \"-c\"]\nRUN a\n", shell.Foreign},
		{"the last one above", "FROM x\nSHELL [\"bash\", \"-c\"]\nSHELL [\"sh\", \"-c\"]\nRUN a\nSHELL [\"bash\", \"-c\"]\n", shell.POSIX},
		{"the parent's", "FROM x AS a\nSHELL [\"bash\", \"-c\"]\nFROM a\nRUN a\n", shell.Bash},
		{"another stage's", "FROM x AS a\nSHELL [\"bash\", \"-c\"]\nFROM x\nRUN a\n", shell.POSIX},
		{"Windows", "FROM mcr.microsoft.com/windows/nanoserver:ltsc2022\nRUN a\n", shell.Foreign},
		{"Windows by an ARG", "ARG V=windowsservercore\nFROM mcr.microsoft.com/dotnet:$V AS a\nFROM a\nRUN a\n", shell.Foreign},
		{"likely Windows", "# escape=`\nARG V\nFROM $V\nRUN a\n", shell.Foreign},
		{"Linux with the other escape character", "# escape=`\nFROM debian\nRUN a\n", shell.POSIX},
		{"shebang", "FROM x\nRUN <<E\n#!/usr/bin/env bash\na\nE\n", shell.Bash},
		{"shebang with options", "FROM x\nRUN <<E\n#! /usr/bin/env -S A=1 bash -e\na\nE\n", shell.Bash},
		{"shebang over SHELL", "FROM x\nSHELL [\"python3\", \"-c\"]\nRUN <<-E\n\t#!/bin/sh -e\n\ta\nE\n", shell.POSIX},
		{"foreign shebang", "FROM x\nRUN <<E\n#!/usr/bin/python3\nimport os\nE\n", shell.Foreign},
		{"shebang without a name", "FROM x\nRUN <<E\n#!\nE\n", shell.Foreign},
		{"shebang on Windows is a comment", "FROM nanoserver\nSHELL [\"pwsh\", \"-c\"]\nRUN <<E\n#!/bin/sh\nE\n", shell.Foreign},
		{"no shebang in the shell's own heredoc", "FROM x\nRUN cat <<E > f\n#!/usr/bin/python3\nE\n", shell.POSIX},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := parse(t, c.src)
			for _, in := range f.Final("").Instructions {
				if in.Name != "RUN" {
					continue
				}
				if got := f.Script(in).Dialect; got != c.want {
					t.Errorf("got %v, want %v", got, c.want)
				}
			}
		})
	}
}
