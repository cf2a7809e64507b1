package rules

import (
	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/buildkit"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// BuildKit are the checks that BuildKit itself makes, under their own names,
// and BuildRefused for what it won't build at all. BuildKit's own code decides;
// the texts beside the names are ours.
//
// Source: frontend/dockerfile/linter/ruleset.go of moby/buildkit.
var BuildKit = append([]*lint.Rule{BuildRefused}, buildKitRules()...)

// BuildRefused reports the error with which BuildKit would end the build before
// its first step.
var BuildRefused = &lint.Rule{
	Name:     "BuildRefused",
	Aliases:  []string{"DL3011", "DL3021", "DL3023", "DL3043", "DL3061"},
	Severity: lint.Error,
	Doc: lint.Doc{
		Title: "BuildKit refuses this Dockerfile",
		Why:   "The file parses, but BuildKit stops with this error before it runs the first step: a flag or an argument that the instruction doesn't take, a stage that depends on itself, a platform that can't be read.",
		Bad:   file("FROM alpine:3.20\nCOPY --nonsense a b\n"),
		Good:  file("FROM alpine:3.20\nCOPY a b\n"),
	},
	Run: func(p *lint.Pass) error {
		report, err := p.BuildKit()
		if err != nil {
			return err
		}
		if r := report.Refusal; r != nil {
			p.Report(lint.Diagnostic{Span: lineSpan(p.File, r), Message: r.Message})
		}
		return nil
	},
}

// buildKitCheck is one of BuildKit's checks as it is documented here.
type buildKitCheck struct {
	name     string
	aliases  []string
	alias    map[string]string // by instruction, where a check is several of another linter's
	severity lint.Severity
	title    string
	why      string
	bad      string
	good     string
	// fix repairs it, as safe as safety; nil where that isn't mechanical.
	fix    buildKitFix
	safety lint.Safety
	// wrong tells findings that the check makes for want of knowledge, and that
	// aren't reported; nil where there are none.
	wrong func(in *dockerfile.Instruction, w buildkit.Warning) bool
	// needsBase says that the check judges what the base image brings; it is
	// silent where a base image isn't known.
	needsBase bool
}

func buildKitRules() []*lint.Rule {
	var rules []*lint.Rule
	for _, c := range buildKitChecks {
		rules = append(rules, &lint.Rule{
			Name:     c.name,
			Aliases:  c.aliases,
			Severity: c.severity,
			Safety:   c.safety,
			Doc:      lint.Doc{Title: c.title, Why: c.why, Bad: c.example(c.bad), Good: c.example(c.good)},
			Run:      func(p *lint.Pass) error { return reportBuildKit(p, c) },
		})
	}
	return rules
}

// example puts the check's Dockerfiles into a world in which BuildKit can judge
// them.
func (c buildKitCheck) example(text string) lint.Example {
	e := file(text)
	if c.needsBase {
		e.Images = map[string]string{
			"alpine:3.20": `{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/bin:/bin"]}}`,
			"armonly:1":   `{"architecture":"arm64","os":"linux","config":{}}`,
		}
	}
	if c.name == "CopyIgnoredFile" {
		e.Files = map[string]string{".dockerignore": "secrets\n", "secrets/key": "x", "app/main": "x"}
	}
	return e
}

func reportBuildKit(p *lint.Pass, c buildKitCheck) error {
	report, err := p.BuildKit()
	if err != nil {
		return err
	}
	if c.needsBase && report.UnknownBases {
		return nil
	}
	for _, w := range report.Warnings {
		if w.Rule == c.name {
			d := lint.Diagnostic{Span: lineSpan(p.File, &w), Message: w.Message, URL: w.URL}
			if in := p.File.At(d.Start); in != nil {
				if c.wrong != nil && c.wrong(in, w) {
					continue
				}
				d.Alias = c.alias[in.Name]
				if c.fix != nil {
					d.Fix = c.fix(p.File, in, w)
				}
				if d.Fix != nil {
					d.Fix.Safety = c.safety
				}
			}
			p.Report(d)
		}
	}
	return nil
}

// lineSpan gives a warning's lines as bytes: the instruction's, where they are
// those of one.
func lineSpan(f *dockerfile.File, w *buildkit.Warning) edit.Span {
	if w.StartLine == 0 {
		return edit.Span{}
	}
	for _, in := range f.Instructions {
		if in.StartLine == w.StartLine {
			return in.Span
		}
	}
	first, last := f.Lines.Span(w.StartLine), f.Lines.Span(w.EndLine)
	span := edit.Span{Start: first.Start, End: max(last.End, first.End)}
	for span.End > span.Start && (f.Src[span.End-1] == '\n' || f.Src[span.End-1] == '\r') {
		span.End--
	}
	return span
}

func file(text string) lint.Example { return lint.Example{Dockerfile: text} }
