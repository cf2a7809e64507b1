package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// place is where a span lies in a text. Lines and columns count from 1, columns
// in characters; the end is right behind the last character.
type place struct {
	Line      int `json:"line"`
	Column    int `json:"column"`
	EndLine   int `json:"endLine"`
	EndColumn int `json:"endColumn"`
}

// place finds a span.
func (s *source) place(span edit.Span) (p place) {
	p.Line, p.Column = position(s.text, s.lines, span.Start)
	p.EndLine, p.EndColumn = position(s.text, s.lines, max(span.Start, span.End))
	return p
}

// lastLine is the last line that a span covers, which a newline at its end
// doesn't add to.
func (s *source) lastLine(span edit.Span) int {
	span = trim(s.text, span)
	return s.lines.Line(max(span.Start, span.End-1))
}

// slashed is a path as other systems' tools know it: with slashes, and without
// "./" in front.
func slashed(name string) string { return path.Clean(filepath.ToSlash(name)) }

// prints gives the findings of a file fingerprints, which stay when lines are
// added above or below. It is for one file.
type prints struct {
	path string
	src  *source
	seen map[string]int
}

func newPrints(path string, src *source) *prints {
	return &prints{slashed(path), src, map[string]int{}}
}

// of is 32 hexadecimal digits that depend on the path, the rule and the line's
// text, and on how many findings before it share these.
func (p *prints) of(d lint.Diagnostic) string {
	line, _ := p.src.line(p.src.lines.Line(d.Start))
	key := strings.Join([]string{p.path, d.Rule, d.Alias, strings.TrimSpace(line)}, "\x00")
	p.seen[key]++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", key, p.seen[key]))
	return hex.EncodeToString(sum[:16])
}
