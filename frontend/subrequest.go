package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"

	"github.com/imgmgr/imgmgr/lint"
)

// RequestRewrite is the subrequest that shows what a build would run, and
// builds nothing: `docker build --call=imgmgr.rewrite .`
const RequestRewrite = "frontend.imgmgr.rewrite"

// rewriteVersion is the version of the subrequest's answer.
const rewriteVersion = "1.1.0"

// Explanation is the answer to [RequestRewrite]: result.json holds it, and
// result.txt holds Dockerfile with the rest behind it in comments.
type Explanation struct {
	Filename   string `json:"filename"`
	Dockerfile string `json:"dockerfile"` // as the build would run it
	// Applied are the fixes in the order they were made.
	Applied []AppliedFix `json:"applied"`
	// Left are the findings whose fix isn't proven for this build.
	Left []LeftFinding `json:"left"`
	// Settled are the places that need no fix, or could gain nothing by one.
	Settled []SettledPlace `json:"settled"`
}

// AppliedFix is a fix that the build makes.
type AppliedFix struct {
	Rule string `json:"rule"`
	Line int    `json:"line"` // in the Dockerfile as written, from 1
	Fix  string `json:"fix"`
	Why  string `json:"why"`
	// Drops are absolute paths, or folders with all below them, that the image
	// may lack.
	Drops []string `json:"drops,omitempty"`
	// Reorders says that the image's history may list its steps in another
	// order, or more of them.
	Reorders bool `json:"reorders,omitempty"`
	// Rewords is how many steps the history may show with other words.
	Rewords int `json:"rewords,omitempty"`
}

// LeftFinding is a finding that the build leaves as it is.
type LeftFinding struct {
	Rule    string `json:"rule"`
	Line    int    `json:"line"` // in the Dockerfile as written, from 1
	Message string `json:"message"`
	// Doubt is what is missing to the proof; empty where there is no fix.
	Doubt string `json:"doubt,omitempty"`
}

// SettledPlace is one that the build leaves as it is, without a finding.
type SettledPlace struct {
	Rule string `json:"rule"`
	Line int    `json:"line"` // in the Dockerfile as written, from 1
	Why  string `json:"why"`
}

// explain answers [RequestRewrite]. Unlike a build it fails where the rewrite
// does.
func (b *build) explain(ctx context.Context) (*client.Result, error) {
	if err := b.asWritten(ctx); err != nil {
		return nil, err
	}
	if b.file == nil {
		return nil, fmt.Errorf("imgmgr: %s could not be read for rewriting: the build would run it as written", b.src.Filename)
	}
	e := Explanation{
		Filename:   b.src.Filename,
		Dockerfile: string(b.src.Data),
		Applied:    []AppliedFix{},
		Left:       []LeftFinding{},
		Settled:    []SettledPlace{},
	}
	if b.on.Rewrite != lint.RewriteOff {
		out, err := b.rewrite(ctx)
		if err != nil {
			return nil, fmt.Errorf("imgmgr: the build would run the Dockerfile as written: %w", err)
		}
		e.fill(out)
	}
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return nil, err
	}
	res := client.NewResult()
	res.AddMeta("result.json", data)
	res.AddMeta("result.txt", []byte(e.text(b.on.Rewrite)))
	res.AddMeta("version", []byte(rewriteVersion))
	return res, nil
}

func (e *Explanation) fill(out *lint.Rewritten) {
	e.Dockerfile = string(out.Src)
	for _, a := range out.Applied {
		e.Applied = append(e.Applied, AppliedFix{Rule: a.Rule, Line: a.Line, Fix: a.Message, Why: a.Why, Drops: a.Drops, Reorders: a.Reorders, Rewords: a.Rewords})
	}
	for _, d := range out.Left {
		left := LeftFinding{Rule: d.Rule, Line: out.Map.Line(lineAt(out.Src, d.Start)), Message: d.Message}
		if d.Fix != nil {
			left.Doubt = d.Fix.Doubt
		}
		e.Left = append(e.Left, left)
	}
	for _, s := range out.Settled {
		e.Settled = append(e.Settled, SettledPlace{Rule: s.Rule, Line: out.Map.Line(lineAt(out.Src, s.Start)), Why: s.Why})
	}
}

// lineAt is the line, from 1, of an offset.
func lineAt(src []byte, offset int) int {
	return 1 + bytes.Count(src[:min(offset, len(src))], []byte("\n"))
}

// text is the Dockerfile that runs, followed by the reasons as comments: the
// whole is still that Dockerfile.
func (e *Explanation) text(mode lint.RewriteMode) string {
	var w strings.Builder
	w.WriteString(e.Dockerfile)
	if !strings.HasSuffix(e.Dockerfile, "\n") {
		w.WriteByte('\n')
	}
	w.WriteByte('\n')
	switch {
	case mode == lint.RewriteOff:
		fmt.Fprintf(&w, "# imgmgr: rewriting is switched off, %s is built as written.\n", e.Filename)
	case len(e.Applied) == 0:
		fmt.Fprintf(&w, "# imgmgr: nothing to rewrite, %s is built as written.\n", e.Filename)
	default:
		fmt.Fprintf(&w, "# imgmgr rewrote %s; lines are those of the file as written.\n", e.Filename)
	}
	for _, a := range e.Applied {
		fmt.Fprintf(&w, "#\n# line %d: %s (%s)\n#   because: %s\n", a.Line, a.Fix, a.Rule, a.Why)
		if len(a.Drops) > 0 {
			fmt.Fprintf(&w, "#   the image may lack: %s\n", strings.Join(a.Drops, " "))
		}
	}
	for _, l := range e.Left {
		fmt.Fprintf(&w, "#\n# line %d is left as it is: %s (%s)\n", l.Line, l.Message, l.Rule)
		if l.Doubt != "" {
			fmt.Fprintf(&w, "#   not proven: %s\n", l.Doubt)
		}
	}
	for _, s := range e.Settled {
		fmt.Fprintf(&w, "#\n# line %d is left as it is: %s (%s)\n", s.Line, s.Why, s.Rule)
	}
	return w.String()
}

// describe lists the subrequests: BuildKit's and ours.
func (b *build) describe(ctx context.Context) (*client.Result, error) {
	res, err := builder.Build(ctx, withOpts(b.client, nil))
	if err != nil {
		return nil, err
	}
	var all []subrequests.Request
	if err := json.Unmarshal(res.Metadata["result.json"], &all); err != nil {
		return res, nil // it is BuildKit's answer still
	}
	data, err := json.MarshalIndent(append(all, subrequests.Request{
		Name:        RequestRewrite,
		Version:     rewriteVersion,
		Type:        subrequests.TypeRPC,
		Description: "Show the Dockerfile that imgmgr builds, and why",
		Opts:        []subrequests.Named{},
		Metadata:    []subrequests.Named{{Name: "result.json"}, {Name: "result.txt"}},
	}), "", "  ")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := subrequests.PrintDescribe(data, &text); err != nil {
		return nil, err
	}
	res.AddMeta("result.json", data)
	res.AddMeta("result.txt", text.Bytes())
	return res, nil
}
