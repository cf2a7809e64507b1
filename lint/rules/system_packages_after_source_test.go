package rules_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/linttest"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// TestMovedStepsKeepTheirLines: a failing build names the lines that the user
// wrote, also where a step was moved with its comments and continuations.
func TestMovedStepsKeepTheirLines(t *testing.T) {
	bad := rules.SystemPackagesAfterSource.Doc.Bad
	src := "FROM debian:12\nWORKDIR /app\nCOPY . .\n\n# Tools.\nRUN apt-get update && \\\n    apt-get install -y \\\n      curl\n\nRUN make\n"
	out, err := lint.Rewrite(context.Background(), "Dockerfile", []byte(src), linttest.Facts(t, bad), []*lint.Rule{rules.SystemPackagesAfterSource}, lint.BuildSafe)
	if err != nil {
		t.Fatal(err)
	}
	if want := "FROM debian:12\nWORKDIR /app\n# Tools.\nRUN apt-get update && \\\n    apt-get install -y \\\n      curl\n\nCOPY . .\n\nRUN make\n"; string(out.Src) != want {
		t.Errorf("rewritten to\n%s\nwant\n%s", out.Src, want)
	}
	lines := strings.Split(src, "\n")
	for i, line := range strings.Split(strings.TrimSuffix(string(out.Src), "\n"), "\n") {
		if want := slices.Index(lines, line) + 1; line != "" && out.Map.Line(i+1) != want {
			t.Errorf("%q is from line %d, want %d", line, out.Map.Line(i+1), want)
		}
	}
	if len(out.Applied) != 1 || out.Applied[0].Line != 7 || !out.Applied[0].Reorders {
		t.Errorf("applied: %+v", out.Applied)
	}
}

// TestReasonsQuoteTheOwner: a reason names an instruction as its owner wrote it, and
// not as another rule has left it.
func TestReasonsQuoteTheOwner(t *testing.T) {
	src := "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm install -g serve \\\n  && ./prepare\nRUN apt-get update && apt-get install -y curl\n"
	out, err := lint.Rewrite(t.Context(), "Dockerfile", []byte(src), likely(), proven(), lint.BuildSafe)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out.Src), "RUN --mount=type=cache,id=imgmgr-npm") {
		t.Fatalf("the step is not rewritten:\n%s", out.Src)
	}
	for _, d := range out.Left {
		if d.Rule == rules.SystemPackagesAfterSource.Name {
			if want := "RUN npm install -g serve …"; !strings.Contains(d.Message, want) || strings.Contains(d.Message, "--mount") {
				t.Errorf("the reason is %q, and doesn't quote %q", d.Message, want)
			}
			return
		}
	}
	t.Errorf("there is no reason: %+v", out.Left)
}
