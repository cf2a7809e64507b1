package shell

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/imgmgr/imgmgr/lint/edit"
)

// Parse reads a script. It never fails: a script that can't be parsed has Err
// set and no statements, and a Foreign one has neither.
//
// A POSIX script that only parses as bash is read as bash, for /bin/sh is bash
// in some distributions and accepts more than POSIX in most.
func Parse(text *edit.Text, d Dialect) *Script {
	s := &Script{Text: text, Dialect: d}
	if d == Foreign {
		return s
	}
	tree, err := parseTree(text.String(), d)
	if err != nil {
		s.Err = fmt.Errorf("reading the script as %s: %w", d, err)
		return s
	}
	s.Syntax = tree
	r := &reader{text: text, src: text.String()}
	s.Statements = r.statements(tree)
	for _, st := range s.Statements {
		s.commands = append(s.commands, st.Commands...)
	}
	s.commands = slices.Clip(s.commands)
	return s
}

// String names the dialect as messages do.
func (d Dialect) String() string {
	switch d {
	case POSIX:
		return "POSIX shell"
	case Bash:
		return "bash"
	}
	return "another language"
}

func parseTree(src string, d Dialect) (*syntax.File, error) {
	parse := func(v syntax.LangVariant) (*syntax.File, error) {
		return syntax.NewParser(syntax.Variant(v), syntax.KeepComments(true)).Parse(strings.NewReader(src), "")
	}
	if d == Bash {
		return parse(syntax.LangBash)
	}
	tree, err := parse(syntax.LangPOSIX)
	if err == nil {
		return tree, nil
	}
	if tree, e := parse(syntax.LangBash); e == nil {
		return tree, nil
	}
	return nil, err
}

// reader turns the tree of one text into commands.
type reader struct {
	text *edit.Text
	src  string // text's string
}

// span leads a range of the text to the Dockerfile.
func (r *reader) span(s edit.Span) edit.Span { return r.text.Span(s) }

// member is a top-level statement before it is read.
type member struct {
	stmt   *syntax.Stmt
	joiner string
	from   scope
	at     edit.Span // in the text
}

func (r *reader) statements(tree *syntax.File) []*Statement {
	var members []member
	for i, stmt := range tree.Stmts {
		joiner := ""
		if i > 0 {
			joiner = terminator(tree.Stmts[i-1])
		}
		members = r.flatten(members, stmt, joiner, scope{})
	}
	heredocs := heredocBodies(tree, r.src)
	list := make([]*Statement, len(members))
	for i, m := range members {
		st := &Statement{Span: r.span(m.at), Joiner: m.joiner, Plain: r.plain(m.stmt)}
		st.Separator = edit.Span{Start: st.Span.Start, End: st.Span.Start}
		list[i] = st
		r.stmt(&st.Commands, m.stmt, m.from)
		st.Plain = st.Plain && len(st.Commands) == 1
		if i == 0 {
			continue
		}
		gap := edit.Span{Start: members[i-1].at.End, End: m.at.Start}
		if gap.Len() > 0 {
			st.Separator.Start = list[i-1].Span.End
		}
		if gap.Len() <= 0 || slices.ContainsFunc(heredocs, gap.Overlaps) {
			// Taking a neighbour out with this separator would take a
			// heredoc's body along.
			st.Plain, list[i-1].Plain = false, false
		}
	}
	return list
}

// terminator is what ends a complete statement and stands before the next.
func terminator(s *syntax.Stmt) string {
	switch {
	case s.Background || s.Coprocess || s.Disown:
		return "&"
	case s.Semicolon.IsValid():
		return ";"
	}
	return "\n"
}

// flatten appends the members of a && and || list in order. A list that runs
// in the background as a whole stays one member.
func (r *reader) flatten(list []member, s *syntax.Stmt, joiner string, from scope) []member {
	b, ok := s.Cmd.(*syntax.BinaryCmd)
	if !ok || (b.Op != syntax.AndStmt && b.Op != syntax.OrStmt) || !bare(s) {
		return append(list, member{s, joiner, from, r.extent(s)})
	}
	list = r.flatten(list, b.X, joiner, from)
	return r.flatten(list, b.Y, b.Op.String(), from.behind(b))
}

// bare reports that nothing but a semicolon stands around the statement's
// command.
func bare(s *syntax.Stmt) bool {
	return !s.Negated && !s.Background && !s.Coprocess && !s.Disown && len(s.Redirs) == 0
}

// extent is the statement in the text, without its terminator and without the
// bodies of its heredocs.
func (r *reader) extent(s *syntax.Stmt) edit.Span {
	start, end := int(s.Pos().Offset()), int(s.Pos().Offset())
	if s.Negated {
		end++
	}
	if s.Cmd != nil {
		end = max(end, r.commandEnd(s.Cmd))
	}
	for _, red := range s.Redirs {
		end = max(end, int(red.Word.End().Offset()))
	}
	return edit.Span{Start: start, End: min(end, len(r.src))}
}

// commandEnd is End without the bodies of heredocs in a last statement.
func (r *reader) commandEnd(c syntax.Command) int {
	if b, ok := c.(*syntax.BinaryCmd); ok {
		return max(r.extent(b.X).End, r.extent(b.Y).End)
	}
	return int(c.End().Offset())
}

// plain reports that the statement is one simple command by its grammar.
func (r *reader) plain(s *syntax.Stmt) bool {
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || !bare(s) {
		return false
	}
	if script, ok := r.inner(call); ok {
		list := script.reader.statements(script.tree)
		return len(list) == 1 && list[0].Plain
	}
	return true
}

// heredocBodies are the bodies of a script's heredocs. One without a body may be
// anywhere.
func heredocBodies(tree *syntax.File, src string) []edit.Span {
	var bodies []edit.Span
	if !strings.Contains(src, "<<") {
		return nil
	}
	syntax.Walk(tree, func(n syntax.Node) bool {
		if red, ok := n.(*syntax.Redirect); ok && isHeredoc(red) {
			body := edit.Span{Start: int(red.Word.End().Offset()), End: int(red.End().Offset())}
			if red.Hdoc == nil {
				body = edit.Span{End: math.MaxInt}
			}
			bodies = append(bodies, body)
		}
		return true
	})
	return bodies
}

func isHeredoc(r *syntax.Redirect) bool { return r.Op == syntax.Hdoc || r.Op == syntax.DashHdoc }
