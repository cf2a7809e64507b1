package lint_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/rules"
	"github.com/imgmgr/imgmgr/plugin/lint"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

type jsonFile struct {
	Path     string
	Findings []struct{ Rule string }
	Errors   []struct{ Message string }
}

type jsonReport struct{ Files []jsonFile }

// lintJSON lints paths in this process.
func lintJSON(t *testing.T, paths ...string) jsonReport {
	t.Helper()
	var stdout, stderr bytes.Buffer
	err := lint.Run(t.Context(), streams(&stdout, &stderr), lint.Options{Paths: paths, Format: "json", Rules: rules.All})
	if _, ok := errors.AsType[*ui.Exit](err); err != nil && !ok {
		t.Fatal(err)
	}
	var out jsonReport
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil {
		t.Fatalf("%v in %s", err, stdout.String())
	}
	return out
}

func streams(stdout, stderr *bytes.Buffer) ui.Streams {
	return ui.Streams{In: strings.NewReader("FROM scratch\n"), Out: ui.Output{Writer: stdout}, Err: ui.Output{Writer: stderr}}
}

// TestPanicOfARuleCostsOneFile holds that a rule's panic becomes a problem of
// the file that it judged.
func TestPanicOfARuleCostsOneFile(t *testing.T) {
	var stdout, stderr bytes.Buffer
	bad := &engine.Rule{Name: "Bad", Severity: engine.Info, Run: func(*engine.Pass) error { panic("boom") }}
	err := lint.Run(t.Context(), streams(&stdout, &stderr), lint.Options{Paths: []string{"-"}, Format: lint.Text, Rules: []*engine.Rule{bad}})
	if exit, ok := errors.AsType[*ui.Exit](err); !ok || exit.Code != ui.Failure {
		t.Errorf("got %v, want exit code %d", err, ui.Failure)
	}
	if text := stderr.String(); !strings.Contains(text, "boom") || !strings.Contains(text, "run_test.go") && !strings.Contains(text, "lint_test") {
		t.Errorf("standard error doesn't name the panic and its place: %s", text)
	}
}

// TestFailedRulesAreNamedOneByOne holds that each rule's failure is a problem
// of its own, and that findings are there all the same.
func TestFailedRulesAreNamedOneByOne(t *testing.T) {
	fail := func(name string) *engine.Rule {
		return &engine.Rule{Name: name, Severity: engine.Info, Run: func(p *engine.Pass) error {
			p.Report(engine.Diagnostic{Message: "seen by " + name})
			return errors.New(name + " is out of order")
		}}
	}
	var stdout, stderr bytes.Buffer
	err := lint.Run(t.Context(), streams(&stdout, &stderr), lint.Options{Paths: []string{"-"}, Format: lint.Text, Rules: []*engine.Rule{fail("First"), fail("Second")}})
	if exit, ok := errors.AsType[*ui.Exit](err); !ok || exit.Code != ui.Failure {
		t.Errorf("got %v, want exit code %d", err, ui.Failure)
	}
	if n := strings.Count(stderr.String(), "\n"); n != 2 {
		t.Errorf("standard error has %d lines, want one for each rule:\n%s", n, stderr.String())
	}
	if !strings.Contains(stdout.String(), "seen by Second") {
		t.Errorf("findings are missing:\n%s", stdout.String())
	}
}

// BenchmarkFolder lints the repository's examples, from finding them to the
// printed report.
func BenchmarkFolder(b *testing.B) {
	for b.Loop() {
		var stdout, stderr bytes.Buffer
		err := lint.Run(b.Context(), streams(&stdout, &stderr), lint.Options{Paths: []string{"../../examples"}, Format: lint.Text, Rules: rules.All})
		if err != nil || stdout.Len() == 0 {
			b.Fatalf("%v: %s", err, stderr.String())
		}
	}
}
