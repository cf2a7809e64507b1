package lint_test

import (
	"testing"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// TestEditions holds that a rule which came with a newer edition than the
// configuration's says info, unless the configuration itself gives its severity.
func TestEditions(t *testing.T) {
	file, err := dockerfile.Parse("Dockerfile", []byte("FROM scratch\n"))
	if err != nil {
		t.Fatal(err)
	}
	next := lint.FirstEdition + 1
	for _, tt := range []struct {
		why    string
		rule   int
		config lint.Config
		want   lint.Severity
	}{
		{"no configuration", next, lint.Config{}, lint.Info},
		{"no edition", next, lint.Config{Profile: lint.All}, lint.Info},
		{"the edition before", next, lint.Config{Edition: lint.FirstEdition}, lint.Info},
		{"the edition itself", next, lint.Config{Edition: next}, lint.Error},
		{"a later edition", next, lint.Config{Edition: next + 1}, lint.Error},
		{"named by the configuration", next, lint.Config{Severities: map[string]lint.Severity{"new": lint.Warning}}, lint.Warning},
		{"a rule of the first edition", 0, lint.Config{}, lint.Error},
	} {
		rule := &lint.Rule{Name: "New", Severity: lint.Error, Edition: tt.rule, Run: func(p *lint.Pass) error {
			p.Report(lint.Diagnostic{Span: p.File.Instructions[0].Span, Message: "found"})
			return nil
		}}
		found, err := lint.Check(t.Context(), file, facts.Context{}, tt.config.Rules([]*lint.Rule{rule}))
		if err != nil || len(found) != 1 || found[0].Severity != tt.want {
			t.Errorf("%s: found %+v with error %v, want %s", tt.why, found, err, tt.want)
		}
	}
}
