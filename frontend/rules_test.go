package frontend

import (
	"errors"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// The rules here are planted: each does one thing to a Dockerfile that a real
// one may do.

// mountRule adds a cache mount to every RUN that has none.
func mountRule() *lint.Rule {
	return planted("PlantedMount", func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			if in.Name != "RUN" || len(in.Flags) > 0 {
				continue
			}
			p.Report(lint.Diagnostic{Span: in.Span, Message: "no cache.", Fix: &lint.Fix{
				Message: "Add a cache mount",
				Safety:  lint.BuildSafe,
				Edits:   []edit.Edit{insert(in.Keyword.End, " --mount=type=cache,target=/planted")},
				Drops:   []string{"/planted"},
			}})
		}
		return nil
	})
}

// hoistRule moves a RUN above the COPY in front of it.
func hoistRule() *lint.Rule {
	return planted("PlantedHoist", func(p *lint.Pass) error {
		var before *dockerfile.Instruction
		for _, in := range p.File.Instructions {
			if in.Name == "RUN" && before != nil && before.Name == "COPY" {
				lines, at := p.File.WholeLines(in.Span), p.File.WholeLines(before.Span).Start
				p.Report(lint.Diagnostic{Span: in.Span, Message: "runs too often.", Fix: &lint.Fix{
					Message: "Move it above COPY",
					Safety:  lint.BuildSafe,
					Edits: []edit.Edit{
						{Span: edit.Span{Start: at, End: at}, New: lines.Of(p.File.Src), Origin: lines},
						{Span: lines},
					},
				}})
			}
			before = in
		}
		return nil
	})
}

// stageRule inserts a stage above the first FROM.
func stageRule() *lint.Rule {
	return planted("PlantedStage", func(p *lint.Pass) error {
		first := p.File.Stages[0]
		if first.Name != "planted" {
			p.Report(lint.Diagnostic{Span: first.From.Span, Message: "no planted stage.", Fix: &lint.Fix{
				Message: "Plant a stage",
				Safety:  lint.BuildSafe,
				Edits:   []edit.Edit{insert(p.File.WholeLines(first.From.Span).Start, "FROM scratch AS planted\n")},
			}})
		}
		return nil
	})
}

// brokenRule makes a text that parses, and that BuildKit can't lower.
func brokenRule() *lint.Rule {
	return planted("PlantedBreakage", func(p *lint.Pass) error {
		if strings.Contains(string(p.File.Src), "no-such-image") {
			return nil
		}
		end := len(p.File.Src)
		p.Report(lint.Diagnostic{Span: p.File.Stages[0].From.Span, Message: "not broken yet.", Fix: &lint.Fix{
			Message: "Break it",
			Safety:  lint.BuildSafe,
			Edits:   []edit.Edit{insert(end, "COPY --from=no-such-image /a /a\n")},
		}})
		return nil
	})
}

func panicRule() *lint.Rule {
	return planted("PlantedPanic", func(*lint.Pass) error { panic("planted") })
}

func failingRule() *lint.Rule {
	return planted("PlantedFailure", func(*lint.Pass) error { return errors.New("planted failure") })
}

// findingRule reports every RUN with the given severity and no fix.
func findingRule(name string, severity lint.Severity) *lint.Rule {
	r := planted(name, func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			if in.Name == "RUN" {
				p.Report(lint.Diagnostic{Span: in.Span, Message: "this RUN was found."})
			}
		}
		return nil
	})
	r.Severity = severity
	return r
}

// settlingRule finds nothing, and says why of each RUN.
func settlingRule(name string) *lint.Rule {
	return planted(name, func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			if in.Name == "RUN" {
				p.Settle(in.Span, "%s has what\nit needs", in.Name)
			}
		}
		return nil
	})
}

func planted(name string, run func(*lint.Pass) error) *lint.Rule {
	return &lint.Rule{Name: name, Severity: lint.Warning, Safety: lint.BuildSafe, Doc: lint.Doc{Title: "Planted"}, Run: run}
}

func insert(at int, text string) edit.Edit {
	return edit.Edit{Span: edit.Span{Start: at, End: at}, New: text}
}
