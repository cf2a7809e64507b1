package rules

import (
	"fmt"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// ConsecutiveRuns finds RUNs that could be one.
var ConsecutiveRuns = &lint.Rule{
	Name:     "ConsecutiveRuns",
	Aliases:  []string{"DL3059"},
	Severity: lint.Info,
	Profile:  lint.Strict,
	Doc: lint.Doc{
		Title: "Several RUNs in a row",
		Why: `Each RUN makes a layer. What one deletes stays in those before it, and a file that two of them change is in the
image twice. In a build stage layers cost nothing and are what the cache is made of: the rule looks at the stages that
the final image is made from, and at RUNs with the same flags. The profile for hadolint looks at all stages.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN useradd app\nRUN mkdir /data\n"),
		Good: file("FROM debian:bookworm-slim\nRUN useradd app && mkdir /data\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			if in.Name != "RUN" || in.Stage == nil || !inFinal(p, in) && !asHadolint(p) {
				continue
			}
			n := 1
			next := following(in)
			for ; joins(in, next); next = following(next) {
				n++
			}
			if n > 1 && !joins(preceding(in), in) {
				p.Report(lint.Diagnostic{Span: in.Keyword, Message: fmt.Sprintf("%d RUNs in a row make %d layers: one RUN makes one", n, n)})
			}
		}
		return nil
	},
}

// joins reports that b, the instruction behind a, could be part of it.
func joins(a, b *dockerfile.Instruction) bool {
	if a == nil || b == nil || a.Name != "RUN" || b.Name != "RUN" || len(a.Flags) != len(b.Flags) || a.JSON || b.JSON {
		return false
	}
	for i := range a.Flags {
		if a.Flags[i].Name != b.Flags[i].Name || a.Flags[i].Value != b.Flags[i].Value {
			return false
		}
	}
	return true
}

// preceding is the instruction in front of in in its stage, or nil.
func preceding(in *dockerfile.Instruction) *dockerfile.Instruction {
	for i, o := range in.Stage.Instructions {
		if o == in && i > 0 {
			return in.Stage.Instructions[i-1]
		}
	}
	return nil
}
