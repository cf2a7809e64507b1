package frontend

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"

	"github.com/imgmgr/imgmgr/lint"
)

func asked(t *testing.T, request, dockerfile string, opts map[string]string, rules ...*lint.Rule) (data, text string, d *daemon) {
	t.Helper()
	d = newDaemon(dockerfile, opts)
	d.opts["requestid"] = request
	res, err := run(context.Background(), d, rules)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.built()) > 0 {
		t.Error("the subrequest built the image")
	}
	return string(res.Metadata["result.json"]), string(res.Metadata["result.txt"]), d
}

func TestRewriteIsExplained(t *testing.T) {
	left := findingRule("PlantedDoubt", lint.Warning)
	data, text, d := asked(t, RequestRewrite, twoSteps, nil, hoistRule(), mountRule(), left, settlingRule("PlantedCalm"))
	var e Explanation
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		t.Fatal(err)
	}
	want := "FROM debian:12\nRUN --mount=type=cache,target=/planted npm \\\n  ci\nCOPY . .\n# tools\n"
	if e.Dockerfile != want || !strings.HasPrefix(text, want) {
		t.Errorf("the Dockerfile is %q", e.Dockerfile)
	}
	if len(e.Applied) != 2 || e.Applied[0].Line != 4 || e.Applied[1].Line != 4 || !slices.Equal(e.Applied[1].Drops, []string{"/planted"}) {
		t.Errorf("applied: %+v", e.Applied)
	}
	if len(e.Left) != 1 || e.Left[0].Line != 4 || e.Left[0].Rule != "PlantedDoubt" {
		t.Errorf("left: %+v", e.Left)
	}
	if want := []SettledPlace{{"PlantedCalm", 4, "RUN has what it needs"}}; !slices.Equal(e.Settled, want) {
		t.Errorf("settled: %+v, want %+v", e.Settled, want)
	}
	for _, line := range strings.Split(strings.TrimPrefix(text, want), "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			t.Errorf("the text is no Dockerfile: %q", line)
		}
	}
	for _, part := range []string{"line 4: Move it above COPY (PlantedHoist)", "the image may lack: /planted", "line 4 is left as it is: this RUN was found.",
		"line 4 is left as it is: RUN has what it needs (PlantedCalm)"} {
		if !strings.Contains(text, part) {
			t.Errorf("the text lacks %q:\n%s", part, text)
		}
	}
	requireNoWarnings(t, d)
}

func TestRewriteIsExplainedWhereNothingHappens(t *testing.T) {
	_, text, _ := asked(t, RequestRewrite, twoSteps, nil)
	if !strings.HasPrefix(text, twoSteps) || !strings.Contains(text, "nothing to rewrite") {
		t.Errorf("the text is %q", text)
	}
	_, text, _ = asked(t, RequestRewrite, twoSteps, map[string]string{"build-arg:IMGMGR_REWRITE": "off"}, mountRule())
	if !strings.HasPrefix(text, twoSteps) || !strings.Contains(text, "switched off") {
		t.Errorf("the text is %q", text)
	}
	for _, src := range []string{"NONSENSE\n", ""} {
		d := newDaemon(src, map[string]string{"requestid": RequestRewrite})
		if _, err := run(context.Background(), d, nil); err == nil {
			t.Errorf("%q: there was no error", src)
		}
	}
	d := newDaemon(twoSteps, map[string]string{"requestid": RequestRewrite})
	if _, err := run(context.Background(), d, []*lint.Rule{failingRule()}); err == nil || !strings.Contains(err.Error(), "planted failure") {
		t.Errorf("a failing rule gives %v", err)
	}
}

func TestDescribe(t *testing.T) {
	data, text, _ := asked(t, subrequests.RequestSubrequestsDescribe, twoSteps, nil)
	var all []subrequests.Request
	if err := json.Unmarshal([]byte(data), &all); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
	}
	for _, want := range []string{outline.SubrequestsOutlineDefinition.Name, RequestRewrite} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not described: %q", want, names)
		}
	}
	if !strings.Contains(text, "imgmgr.rewrite") {
		t.Errorf("the text lacks imgmgr.rewrite:\n%s", text)
	}
}

// Outline and targets speak of the text that the user wrote.
func TestOtherRequestsSeeTheTextAsWritten(t *testing.T) {
	data, _, _ := asked(t, targets.SubrequestsTargetsDefinition.Name, twoSteps, nil, stageRule(), panicRule())
	var list targets.List
	if err := json.Unmarshal([]byte(data), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Targets) != 1 || string(list.Sources[0]) != twoSteps {
		t.Errorf("targets: %+v", list)
	}
	data, _, _ = asked(t, outline.SubrequestsOutlineDefinition.Name, twoSteps, nil, stageRule())
	if strings.Contains(data, "planted") {
		t.Errorf("outline: %s", data)
	}
}
