package shell

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/imgmgr/imgmgr/lint/edit"
)

// Commands returns the commands of all statements in source order.
func (s *Script) Commands() []*Command { return s.commands }

// Name is the command's name without its folder ("apt-get" for
// /usr/bin/apt-get), or "" when it isn't known without running the script.
func (c *Command) Name() string {
	if len(c.Words) == 0 || !c.Words[0].Literal || c.Words[0].Value == "" {
		return ""
	}
	name := c.Words[0].Value
	if strings.IndexByte(name, '/') < 0 {
		return name
	}
	return path.Base(name)
}

// Args are the words behind the name.
func (c *Command) Args() []Word {
	if len(c.Words) == 0 {
		return nil
	}
	return c.Words[1:]
}

// Arg returns the i-th argument, 0 being the first behind the name, and
// whether its value is known.
func (c *Command) Arg(i int) (string, bool) {
	if args := c.Args(); i >= 0 && i < len(args) && args[i].Literal {
		return args[i].Value, true
	}
	return "", false
}

// Known reports that every word, and so what the command is asked to do, is
// known without running the script.
func (c *Command) Known() bool {
	return !slices.ContainsFunc(c.Words, func(w Word) bool { return !w.Literal })
}

// scope is what the constructs around a command say about it.
type scope struct {
	conditional bool
	piped       bool
	wrappers    []Word
	assigns     []Assign
	redirects   []Redirect
}

func (o scope) maybe() scope {
	o.conditional = true
	return o
}

// behind is the scope of the right side of a list.
func (o scope) behind(b *syntax.BinaryCmd) scope {
	if b.Op == syntax.OrStmt || (b.Op == syntax.AndStmt && asks(b.X)) {
		return o.maybe()
	}
	return o
}

// asks reports that the statement is made to tell two cases apart, so that
// its failure is no error.
func asks(s *syntax.Stmt) bool {
	if s.Negated {
		return true
	}
	switch c := s.Cmd.(type) {
	case *syntax.TestClause:
		return true
	case *syntax.CallExpr:
		return len(c.Args) > 0 && slices.Contains([]string{"[", "[[", "test"}, c.Args[0].Lit())
	case *syntax.BinaryCmd:
		return asks(c.Y) || (c.Op == syntax.AndStmt && asks(c.X))
	}
	return false
}

// stmts reads a list of statements one after the other.
func (r *reader) stmts(out *[]*Command, list []*syntax.Stmt, from scope) {
	for _, s := range list {
		r.stmt(out, s, from)
	}
}

// stmt appends the commands of a statement.
func (r *reader) stmt(out *[]*Command, s *syntax.Stmt, from scope) {
	if s == nil {
		return
	}
	own := make([]Redirect, 0, len(s.Redirs)+len(from.redirects))
	for _, red := range s.Redirs {
		own = append(own, Redirect{Op: red.Op.String(), Path: r.word(red.Word)})
	}
	outer := from
	from.redirects = append(own, from.redirects...)
	r.command(out, s.Cmd, from)
	for _, red := range s.Redirs {
		r.substitutions(out, red, outer)
	}
}

// command appends the commands of a simple or compound command.
func (r *reader) command(out *[]*Command, cmd syntax.Command, from scope) {
	switch c := cmd.(type) {
	case *syntax.CallExpr:
		r.call(out, c, from)
	case *syntax.DeclClause:
		r.declare(out, c, from)
	case *syntax.BinaryCmd:
		if c.Op == syntax.Pipe || c.Op == syntax.PipeAll {
			from.piped = true
		}
		r.stmt(out, c.X, from)
		r.stmt(out, c.Y, from.behind(c))
	case *syntax.Subshell:
		r.stmts(out, c.Stmts, from)
	case *syntax.Block:
		r.stmts(out, c.Stmts, from)
	case *syntax.TimeClause:
		r.stmt(out, c.Stmt, from)
	case *syntax.CoprocClause:
		r.stmt(out, c.Stmt, from)
	case *syntax.FuncDecl:
		r.stmt(out, c.Body, from.maybe())
	default:
		r.branches(out, cmd, from)
	}
}

// branches appends the commands of loops and conditionals.
func (r *reader) branches(out *[]*Command, cmd syntax.Command, from scope) {
	switch c := cmd.(type) {
	case *syntax.IfClause:
		for n := c; n != nil; n = n.Else {
			r.stmts(out, n.Cond, from)
			from = from.maybe()
			r.stmts(out, n.Then, from)
		}
	case *syntax.WhileClause:
		r.stmts(out, c.Cond, from)
		r.stmts(out, c.Do, from.maybe())
	case *syntax.ForClause:
		r.substitutions(out, c.Loop, from)
		r.stmts(out, c.Do, from.maybe())
	case *syntax.CaseClause:
		r.substitutions(out, c.Word, from)
		for _, item := range c.Items {
			for _, p := range item.Patterns {
				r.substitutions(out, p, from)
			}
			r.stmts(out, item.Stmts, from.maybe())
		}
	case nil:
	default: // tests and arithmetic
		r.substitutions(out, cmd, from)
	}
}

// substitutions appends the commands of the substitutions inside a node, which
// holds no statements of its own.
func (r *reader) substitutions(out *[]*Command, n syntax.Node, from scope) {
	span := textSpan(n)
	if !strings.ContainsAny(r.src[span.Start:min(span.End, len(r.src))], "`({") {
		return // as nearly always: nothing is substituted
	}
	from.redirects, from.wrappers, from.assigns = nil, nil, nil
	syntax.Walk(n, func(n syntax.Node) bool {
		switch s := n.(type) {
		case *syntax.CmdSubst:
			r.stmts(out, s.Stmts, from)
			return false
		case *syntax.ProcSubst:
			r.stmts(out, s.Stmts, from)
			return false
		}
		return true
	})
}

// declare appends export, local, declare and readonly, which bash parses apart.
func (r *reader) declare(out *[]*Command, c *syntax.DeclClause, from scope) {
	words := []Word{r.literal(c.Variant.Value, textSpan(c.Variant))}
	for _, a := range c.Args {
		words = append(words, r.declared(a))
	}
	*out = append(*out, &Command{
		Span: r.span(textSpan(c)), Words: words, Redirects: from.redirects,
		Wrappers: from.wrappers, Assigns: from.assigns,
		Conditional: from.conditional, Piped: from.piped,
	})
	for _, a := range c.Args {
		r.substitutions(out, a, from)
	}
}

// declared is an argument of export and its like as one word, NAME=VALUE.
func (r *reader) declared(a *syntax.Assign) Word {
	span := textSpan(a)
	w := Word{Span: r.span(span), Raw: r.src[span.Start:span.End]}
	switch {
	case a.Name == nil && a.Value != nil:
		return r.word(a.Value)
	case a.Naked && a.Index == nil && a.Name != nil:
		w.Value, w.Literal = a.Name.Value, true
	case a.Value != nil && a.Index == nil && !a.Append:
		value := r.word(a.Value)
		w.Value, w.Literal = a.Name.Value+"="+value.Value, value.Literal
	case a.Value == nil && a.Array == nil && a.Index == nil && a.Name != nil:
		w.Value, w.Literal = a.Name.Value+"=", true
	default:
		w.Value = w.Raw
	}
	return w
}

// call appends a simple command, or the commands that it wraps.
func (r *reader) call(out *[]*Command, c *syntax.CallExpr, from scope) {
	own := make([]Assign, 0, len(c.Assigns))
	for _, a := range c.Assigns {
		if a.Name == nil {
			continue
		}
		own = append(own, Assign{Name: a.Name.Value, Value: r.assigned(a)})
	}
	words := make([]Word, len(c.Args))
	for i, w := range c.Args {
		words[i] = r.word(w)
	}
	un := unwrap(words)
	script, isScript := r.innerScript(c, un)
	if un.script > 0 && !isScript {
		un = un.outer()
	}
	inner := from
	inner.wrappers = r.wrappers(from.wrappers, words, un.starts)
	inner.assigns = slices.Concat(from.assigns, own, un.assigns)
	words = words[un.at:]
	if isScript {
		for _, st := range script.tree.Stmts {
			script.reader.stmt(out, st, inner)
		}
		r.substitutions(out, c, from)
		return
	}
	*out = append(*out, &Command{
		Span: r.span(textSpan(c)), Wrappers: inner.wrappers, Assigns: inner.assigns, Words: words,
		Redirects: from.redirects, Conditional: from.conditional, Piped: from.piped,
	})
	r.substitutions(out, c, from)
}

// assigned is the value of NAME=VALUE; of an array it is the raw text.
func (r *reader) assigned(a *syntax.Assign) Word {
	end := int(a.End().Offset())
	switch {
	case a.Value != nil:
		w := r.word(a.Value)
		w.Literal = w.Literal && !a.Append && a.Index == nil
		return w
	case a.Array != nil || a.Index != nil:
		span := textSpan(a)
		return Word{Span: r.span(span), Raw: r.src[span.Start:span.End], Value: r.src[span.Start:span.End]}
	}
	return Word{Span: r.span(edit.Span{Start: end, End: end}), Literal: !a.Append}
}

// wrappers appends one word for each wrapper that starts at a word of starts.
func (r *reader) wrappers(outer, words []Word, starts []int) []Word {
	list := slices.Clone(outer)
	for i, at := range starts[:max(0, len(starts)-1)] {
		part := words[at:starts[i+1]]
		raw := make([]string, len(part))
		for k, w := range part {
			raw[k] = w.Raw
		}
		list = append(list, Word{
			Span:    edit.Span{Start: part[0].Span.Start, End: part[len(part)-1].Span.End},
			Raw:     strings.Join(raw, " "),
			Value:   path.Base(part[0].Value),
			Literal: true,
		})
	}
	return list
}
