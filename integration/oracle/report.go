package oracle

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/imgmgr/imgmgr/frontend"
)

// Proof is a project that was built and judged.
type Proof struct {
	Project Project
	Plan    frontend.Explanation
	Verdict Verdict
}

// Report writes docs/proof.md. bases says what the base images were. Of the
// projects that weren't built now, it keeps the rows of the page that there is,
// which must be about the same BuildKit and bases.
func Report(w io.Writer, old, buildkit, bases string, projects []Project, proofs []Proof) error {
	head := fmt.Sprintf(reportHead, buildkit, bases)
	if len(proofs) < len(projects) && !strings.HasPrefix(old, head) {
		return errors.New("the page of proofs is about another BuildKit or other base images: build all projects")
	}
	built := map[string]Proof{}
	for _, p := range proofs {
		built[p.Project.Name] = p
	}
	_, old, _ = strings.Cut(old, rewrittenHead)
	before, beforeLeft, _ := strings.Cut(old, leftHead)
	var rewritten, left strings.Builder
	for _, project := range projects {
		p, ok := built[project.Name]
		if !ok {
			rewritten.WriteString(rowOf(before, project.Name))
			left.WriteString(rowOf(beforeLeft, project.Name))
			continue
		}
		if len(p.Plan.Applied) > 0 {
			v := p.Verdict
			row(&rewritten, p.title(), p.applied(), p.lacks(), amount(v.Entries, v.TotalBytes), p.noise(), p.verdict())
		}
		if why := p.left(); why != "" || len(p.Plan.Applied) == 0 {
			row(&left, p.title(), why, p.verdict())
		}
	}
	_, err := io.WriteString(w, head+rewrittenHead+rewritten.String()+leftHead+left.String())
	return err
}

// rowOf is the row of a table that a project has, "" where it has none.
func rowOf(table, project string) string {
	for text := range strings.Lines(table) {
		if strings.HasPrefix(text, "| **"+project+"**: ") {
			return text
		}
	}
	return ""
}

const (
	rewrittenHead = "## Rewritten\n\n| project | rewritten | the image lacks | compared | noise | verdict |\n|---|---|---|---|---|---|\n"
	leftHead      = "\n## Left alone\n\nThe frontend builds these steps as they are written, and `--call=imgmgr.rewrite` says why.\n\n" +
		"| project | left as it is | verdict |\n|---|---|---|\n"
)

const reportHead = `# Proof

<!-- Written by "make proof". Don't edit it. -->

Each project under ` + "`integration/testdata`" + ` is built as it is written, by BuildKit's own frontend, and with this one. Where the two images differ,
it is built as it is written once more, and what differs between these is noise of that build: logs, dates, random names. Beyond that, the image of
this frontend may lack the package caches that a rewrite said it would leave out, and nothing else may differ: path, type, mode, owner, size, content, link
target, extended attributes of every file, and the image's configuration and history. Where it says *after an edit*, our frontend had built the project
before a source file was changed, so that layers and cache mounts were those of the older sources.

BuildKit %s. %s

`

func row(b *strings.Builder, cells ...string) {
	for _, c := range cells {
		b.WriteString("| " + strings.ReplaceAll(strings.ReplaceAll(c, "|", `\|`), "\n", " ") + " ")
	}
	b.WriteString("|\n")
}

// amount is a number of entries of a tree, and their bytes.
func amount(entries int, bytes int64) string {
	return fmt.Sprintf("%d entries, %.1f MB", entries, float64(bytes)/1e6)
}

func (p Proof) title() string { return "**" + p.Project.Name + "**: " + p.Project.About }

func (p Proof) applied() string {
	var list []string
	for _, a := range p.Plan.Applied {
		list = append(list, fmt.Sprintf("line %d: %s", a.Line, code(a.Fix)))
	}
	return strings.Join(list, "<br>")
}

// left are the findings that the project is about.
func (p Proof) left() string {
	var list []string
	for _, want := range p.Project.Left {
		for _, l := range p.Project.left(p.Plan, want) {
			reason := fmt.Sprintf("line %d: %s", l.Line, code(l.Message))
			if l.Doubt != "" {
				reason += "; not proven: " + code(l.Doubt)
			}
			list = append(list, reason)
		}
	}
	return strings.Join(list, "<br>")
}

// code keeps Markdown from taking a word such as ~ or * for its own.
func code(s string) string {
	return strings.NewReplacer("*", `\*`, "~", `\~`, "<", "&lt;", "_", `\_`).Replace(s)
}

func (p Proof) lacks() string {
	if p.Verdict.Dropped.Entries == 0 {
		return ""
	}
	return amount(p.Verdict.Dropped.Entries, p.Verdict.Dropped.Bytes)
}

func (p Proof) noise() string {
	v := p.Verdict
	if len(v.Noise) == 0 {
		return ""
	}
	return fmt.Sprintf("%d places, %.1f %%", len(v.Noise), 100*float64(v.NoiseBytes)/float64(max(v.TotalBytes, 1)))
}

func (p Proof) verdict() string {
	verdict := "equal"
	if !p.Verdict.Equal() {
		verdict = fmt.Sprintf("%d differences", len(p.Verdict.Differences))
	}
	if len(p.Project.Edit) > 0 {
		verdict += ", after an edit"
	}
	return verdict
}
