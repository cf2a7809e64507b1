package lint_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// replace is a rule that replaces one text by another wherever it stands.
func replace(name, old, new string) *lint.Rule {
	return &lint.Rule{Name: name, Severity: lint.Info, Safety: lint.BuildSafe, Run: func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			if i := strings.Index(in.Span.Of(p.File.Src), old); i >= 0 {
				at := edit.Span{Start: in.Span.Start + i, End: in.Span.Start + i + len(old)}
				p.Report(lint.Diagnostic{Span: at, Message: "found " + old, Fix: &lint.Fix{
					Message: "replace it", Safety: lint.BuildSafe, Edits: []edit.Edit{{Span: at, New: new}},
				}})
			}
		}
		return nil
	}}
}

// moveUp swaps a RUN named "first" with the instruction before it.
var moveUp = &lint.Rule{Name: "Late", Severity: lint.Info, Safety: lint.BuildSafe, Run: func(p *lint.Pass) error {
	for i, in := range p.File.Instructions {
		run, ok := in.Command.(*instructions.RunCommand)
		if !ok || !strings.Contains(strings.Join(run.CmdLine, " "), "first") || p.File.Instructions[i-1].Name == "FROM" {
			continue
		}
		above := p.File.WholeLines(p.File.Instructions[i-1].Span)
		whole := p.File.WholeLines(in.Span)
		p.Report(lint.Diagnostic{Span: in.Span, Message: "late", Fix: &lint.Fix{
			Message: "move it up", Safety: lint.BuildSafe, Edits: []edit.Edit{
				{Span: edit.Span{Start: above.Start, End: above.Start}, New: whole.Of(p.File.Src), Origin: whole},
				{Span: whole},
			},
		}})
	}
	return nil
}}

func rewrite(t *testing.T, src string, floor lint.Safety, rules ...*lint.Rule) *lint.Rewritten {
	t.Helper()
	out, err := lint.Rewrite(context.Background(), "Dockerfile", []byte(src), facts.Context{}, rules, floor)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRewriteComesToAFixpoint(t *testing.T) {
	out := rewrite(t, "FROM a\nRUN one\nRUN one two\n", lint.Safe, replace("A", "one", "two"), replace("B", "two", "three"))
	if got, want := string(out.Src), "FROM a\nRUN three\nRUN three three\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := len(out.Applied); got != 5 {
		t.Errorf("%d fixes were made, want 2 of A and 3 of B", got)
	}
}

func TestRewriteLeadsMovedLinesBack(t *testing.T) {
	src := "FROM a\nCOPY . .\nWORKDIR /x\nRUN first \\\n  second\nCMD x\n"
	out := rewrite(t, src, lint.BuildSafe, replace("Mount", "RUN first", "RUN --mount=type=cache,target=/c first"), moveUp)
	want := "FROM a\nRUN --mount=type=cache,target=/c first \\\n  second\nCOPY . .\nWORKDIR /x\nCMD x\n"
	if string(out.Src) != want {
		t.Fatalf("got\n%s", out.Src)
	}
	for line, original := range map[int]int{1: 1, 2: 4, 3: 5, 4: 2, 5: 3, 6: 6} {
		if got := out.Map.Line(line); got != original {
			t.Errorf("line %d stands for line %d, want %d", line, got, original)
		}
	}
	for _, a := range out.Applied {
		if a.Line != 4 {
			t.Errorf("%s was applied to line %d, want the user's line 4", a.Rule, a.Line)
		}
	}
}

func TestRewriteRefusesFixesWithoutEnd(t *testing.T) {
	_, err := lint.Rewrite(context.Background(), "Dockerfile", []byte("FROM a\nRUN one\n"), facts.Context{},
		[]*lint.Rule{replace("A", "one", "two"), replace("B", "two", "one")}, lint.Safe)
	if err == nil || !strings.Contains(err.Error(), "do not come to an end") {
		t.Errorf("got %v", err)
	}
}

func TestRewriteRefusesABrokenResult(t *testing.T) {
	for name, rule := range map[string]*lint.Rule{
		"instruction": replace("A", "COPY", "COPY --nonsense"),
		"file":        replace("A", "COPY a b", "RUN <<EOF"),
	} {
		_, err := lint.Rewrite(context.Background(), "Dockerfile", []byte("FROM a\nCOPY a b\n"), facts.Context{}, []*lint.Rule{rule}, lint.Safe)
		if err == nil || !strings.Contains(err.Error(), "by A left") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRewriteStaysAboveTheFloor(t *testing.T) {
	rule := replace("A", "one", "two")
	rule.Safety = lint.Safe
	run := rule.Run
	rule.Run = func(p *lint.Pass) error { return run(p) } // claims build-safe: more than the rule may
	_, err := lint.Rewrite(context.Background(), "Dockerfile", []byte("FROM a\nRUN one\n"), facts.Context{}, []*lint.Rule{rule}, lint.Safe)
	if err == nil || !strings.Contains(err.Error(), "claims a build-safe fix") {
		t.Errorf("a fix above its rule's ceiling: got %v", err)
	}
	out := rewrite(t, "FROM a\nRUN one\n", lint.BuildSafe, rule)
	if len(out.Applied) != 0 {
		t.Errorf("a rule below the floor was applied: %v", out.Applied)
	}
}

func TestIgnoreComments(t *testing.T) {
	rule := replace("FoundOne", "one", "two")
	rule.Aliases = []string{"DL9999"}
	for src, want := range map[string]int{
		"FROM a\nRUN one\n": 1,
		"FROM a\n# imgmgr ignore=FoundOne # because\nRUN one\n":                0,
		"FROM a\n# imgmgr: ignore=foundone\nRUN one\n":                         0,
		"FROM a\n# imgmgr ignore=Other\nRUN one\n":                             1,
		"FROM a\n# imgmgr ignore=Other,FoundOne\n# more words\nRUN one\n":      0,
		"FROM a\n# imgmgr ignore=all\nRUN one\nRUN one\n":                      1,
		"FROM a\n# hadolint ignore=DL9999\nRUN one\n":                          0,
		"FROM a\n# hadolint ignore=DL3008,DL9999 # why\nRUN one\n":             0,
		"# hadolint global ignore=DL9999\nFROM a\nRUN one\nRUN one\n":          0,
		"FROM a\nRUN one\n# imgmgr global ignore=FoundOne\n":                   0,
		"# check=skip=FoundOne\nFROM a\nRUN one\n":                             0,
		"# check=skip=all\nFROM a\nRUN one\n":                                  0,
		"# check=skip=Other;error=true\nFROM a\nRUN one\n":                     1,
		"FROM a\n# check=skip=FoundOne\nRUN one\nRUN one\n":                    1,
		"FROM a\n# imgmgr ignores nothing\nRUN one\n":                          1,
		"FROM a\n# imgmgr ignore=FoundOne\n\nRUN one\n":                        1,
		"FROM a\r\n# imgmgr ignore=FoundOne\r\nRUN one\r\n":                    0,
		"FROM a\nRUN echo && \\\n# imgmgr ignore=FoundOne\n  one\nRUN other\n": 1,
	} {
		f, err := dockerfile.Parse("Dockerfile", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		found, err := lint.Check(context.Background(), f, facts.Context{}, []*lint.Rule{rule})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != want {
			t.Errorf("%q: %d findings, want %d", src, len(found), want)
		}
	}
}

func TestARuleSpeaksForItsAliases(t *testing.T) {
	ours, theirs := replace("Ours", "xone", "1"), replace("Theirs", "one", "2")
	ours.Aliases = []string{"Theirs", "XX1"}
	f, err := dockerfile.Parse("Dockerfile", []byte("FROM a\nRUN xone\nRUN one\n"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := lint.Check(context.Background(), f, facts.Context{}, []*lint.Rule{theirs, ours})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range found {
		got = append(got, d.Rule)
	}
	if strings.Join(got, " ") != "Ours Theirs" {
		t.Errorf("found %v, want Ours of line 2 and Theirs of line 3", got)
	}
}

// settles says of each RUN that is left why it is.
var settles = &lint.Rule{Name: "Settles", Safety: lint.BuildSafe, Severity: lint.Warning, Run: func(p *lint.Pass) error {
	for _, in := range p.File.Instructions {
		text := p.File.Text(in.Span)
		switch {
		case in.Name != "RUN":
		case strings.Contains(text, "one"):
			p.Report(lint.Diagnostic{Span: in.Span, Message: "found " + p.Written(in)})
		default:
			p.Settle(in.Span, "%s was written as %s", text, strings.TrimSpace(p.Written(in)))
			p.Settle(in.Span, "%s was written as %s", text, strings.TrimSpace(p.Written(in))) // said once
		}
	}
	return nil
}}

// TestRewriteSaysWhatIsSettled: of instructions that the same rule says nothing else
// of, in the owner's words also where another rule has changed or moved them.
func TestRewriteSaysWhatIsSettled(t *testing.T) {
	src := "FROM a\nCOPY . .\nRUN first \\\n  second\nRUN one\n# imgmgr ignore=Settles\nRUN one\n"
	out := rewrite(t, src, lint.BuildSafe, replace("Mount", "RUN first", "RUN --mount=type=cache,target=/c first"), moveUp, settles)
	var got []string
	for _, s := range out.Settled {
		got = append(got, fmt.Sprintf("%d %s %s", out.Map.Line(1+strings.Count(string(out.Src[:s.Start]), "\n")), s.Rule, s.Why))
	}
	want := []string{
		"3 Settles RUN --mount=type=cache,target=/c first \\   second was written as RUN first \\",
		"7 Settles a comment asks for silence about it",
	}
	if !slices.Equal(got, want) {
		t.Errorf("settled:\n%q\nwant\n%q\n%s", got, want, out.Src)
	}
	if len(out.Left) != 1 || strings.Contains(out.Left[0].Message, "second") {
		t.Errorf("left: %+v", out.Left)
	}
}
