package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// ShellCheck passes on what ShellCheck says of the scripts of RUN.
var ShellCheck = &lint.Rule{
	Name:     "ShellCheck",
	Aliases:  []string{"SC*"},
	Severity: lint.Warning,
	Safety:   lint.Unsafe,
	Doc: lint.Doc{
		Title: "ShellCheck has found something in the script of a RUN",
		Why: `ShellCheck knows what goes wrong in shell scripts: words that are split, tests that are always true, failures that
nobody sees. Where the program shellcheck is installed, each RUN's script is given to it (heredocs too, in the language
of their "#!" line), with ENV and ARG as variables that are set, and in the dialect of SHELL or of the base image's
/bin/sh: dash in Debian's images, busybox in Alpine's, bash in Fedora's.

Each finding has ShellCheck's own code. "# shellcheck disable=SC2086" above a RUN or within it keeps it quiet, as
"# imgmgr ignore=SC2086" and "# hadolint ignore=SC2086" do. In the recommended profile ShellCheck's errors and
warnings count, but for those about what Dockerfiles mostly mean (SC2046, SC2155); the profile strict has all.`,
		Bad:  lint.Example{Dockerfile: "FROM debian:bookworm-slim\nRUN cd /src; make\n", Shell: cdRemark},
		Good: lint.Example{Dockerfile: "FROM debian:bookworm-slim\nRUN cd /src || exit; make\n", Shell: cdRemark},
	},
	Run: func(p *lint.Pass) error {
		if p.Facts.ShellCheck == nil {
			return nil
		}
		scripts := checkedScripts(p)
		texts := make([]string, len(scripts))
		for i, s := range scripts {
			texts[i] = s.text
		}
		if len(texts) == 0 {
			return nil
		}
		remarks, err := p.Facts.ShellCheck.ShellCheck(p.Context, texts)
		if errors.Is(err, facts.ErrUnknown) {
			return nil
		}
		if err != nil {
			return err
		}
		for i, s := range scripts {
			for _, r := range remarks[i] {
				s.report(p, r)
			}
		}
		return nil
	},
}

// report makes a finding of a remark, unless it is about what isn't the
// Dockerfile's own.
func (s *checkedScript) report(p *lint.Pass, r facts.ShellRemark) {
	span, ok := s.place(edit.Span{Start: r.Start, End: r.End})
	if !ok || s.beside(p, r) {
		return
	}
	severities := map[string]lint.Severity{"error": lint.Error, "warning": lint.Warning, "info": lint.Info, "style": lint.Info}
	d := lint.Diagnostic{
		Span: span, Alias: fmt.Sprintf("SC%d", r.Code), Severity: severities[r.Level],
		Message: strings.TrimSuffix(r.Message, "."),
		URL:     fmt.Sprintf("https://www.shellcheck.net/wiki/SC%d", r.Code),
	}
	if edits, ok := s.edits(r.Fix); ok {
		d.Fix = &lint.Fix{Message: "Do as ShellCheck proposes", Safety: lint.Unsafe, Edits: edits}
	}
	p.Report(d)
}

// beside reports that a remark misses the point in a Dockerfile, or in this
// profile: a source that can't be followed (hadolint leaves SC1090, SC1091 and
// SC2187 out, too), syntax that the image's own shell has, what nobody knows of
// a shell that isn't known, and what is a matter of taste.
func (s *checkedScript) beside(p *lint.Pass, r facts.ShellRemark) bool {
	switch r.Code {
	case 1090, 1091, 2187:
		return true
	}
	portability := r.Code >= 3000 && r.Code < 4000
	switch {
	case p.Config().Profile == lint.Hadolint:
		return false
	case portability && s.sh == busybox && slices.Contains(inBusybox, r.Code):
		return true
	case p.Config().Profile >= lint.Strict:
		return false
	case portability && s.sh == unknownSh:
		return true
	}
	return r.Level == "info" || r.Level == "style" || slices.Contains(habits, r.Code)
}

// habits are warnings about what is mostly meant where Dockerfiles do it: words
// of a substitution that are split (2046), export A="$(b)" (2155), and lists of
// files whose names are known (2010, 2011, 2044).
var habits = []int{2010, 2011, 2044, 2046, 2155}

// inBusybox are complaints about what dash lacks and busybox has: $'…', &>,
// ==, [[, source, echo's and read's flags, pipefail, ${x:1:2} and ${x/a/b}.
// Source: busybox 1.36, shell/ash.c with ASH_BASH_COMPAT, as Alpine builds it.
var inBusybox = []int{3003, 3010, 3014, 3020, 3036, 3037, 3040, 3043, 3045, 3046, 3051, 3057, 3060}

// cdRemark is what ShellCheck says of the documentation's examples.
var cdRemark = map[string]facts.ShellRemark{
	"cd /src;": {End: len("cd /src"), Code: 2164, Level: "warning", Message: "Use 'cd ... || exit' or 'cd ... || return' in case cd fails.", Fix: []facts.ShellEdit{{Start: len("cd /src"), End: len("cd /src"), New: " || exit"}}},
}
