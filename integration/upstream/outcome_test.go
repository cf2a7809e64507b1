package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const suffix = "/worker=oci/frontend=gateway"

func TestReadOutcomeKeepsTheLeaves(t *testing.T) {
	o, err := readOutcome(strings.NewReader(`{"Action":"run","Test":"TestIntegration"}
{"Action":"run","Test":"TestIntegration/TestA"}
{"Action":"output","Test":"TestIntegration/TestA","Output":"x"}
{"Action":"pass","Test":"TestIntegration/TestA"}
{"Action":"run","Test":"TestIntegration/TestB"}
{"Action":"skip","Test":"TestIntegration/TestB"}
{"Action":"run","Test":"TestIntegration/TestCut"}
panic: the program ended here
{"Action":"fail","Test":"TestIntegration"}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := outcome{"TestIntegration/TestA": "pass", "TestIntegration/TestB": "skip", "TestIntegration/TestCut": "fail"}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Error(diff)
	}
	if _, err := readOutcome(strings.NewReader("panic: nothing ran\n")); err == nil {
		t.Error("a log without tests was taken for an outcome")
	}
}

func TestCompareBlamesOursForWhatOnlyOursFails(t *testing.T) {
	upstream := outcome{"T/A": "pass", "T/B": "fail", "T/C": "pass", "T/D": "fail", "T/E": "pass"}
	ours := outcome{"T/A": "fail", "T/B": "fail", "T/C": "pass", "T/D": "pass"} // E never ran
	c := compare(ours, upstream)
	if diff := cmp.Diff([]string{"T/A", "T/E"}, c.onlyOurs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"T/D"}, c.onlyUpstream); diff != "" {
		t.Error(diff)
	}
	c.settle(outcome{"T/A": "fail", "T/E": "pass"})
	if diff := cmp.Diff([]string{"T/A"}, c.onlyOurs); diff != "" {
		t.Error(diff)
	}
}

func TestPageNamesWhatFails(t *testing.T) {
	one := "TestIntegration/TestWorkdir" + suffix
	c := compare(outcome{one: "fail"}, outcome{one: "pass"})
	text := page("v0.34.2", time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), c)
	for _, want := range []string{"v0.34.2", "23 November 2026", "Fail with ours only:\n\n- `TestWorkdir`"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "No test fails") {
		t.Error("the page claims that no test fails")
	}
}
