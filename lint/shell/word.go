package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/imgmgr/imgmgr/lint/edit"
)

func textSpan(n syntax.Node) edit.Span {
	return edit.Span{Start: int(n.Pos().Offset()), End: int(n.End().Offset())}
}

// word reads a word: what is known of its value, and where it stands.
func (r *reader) word(w *syntax.Word) Word {
	span := textSpan(w)
	if value, ok := r.simple(w, span); ok {
		return r.literal(value, span)
	}
	d := r.decode(w)
	return Word{Span: r.span(span), Raw: r.src[span.Start:span.End], Value: d.value(r.src), Literal: !d.unknown}
}

// simple is the value of a word without any sign that means something to a
// shell, as most are.
func (r *reader) simple(w *syntax.Word, span edit.Span) (string, bool) {
	if len(w.Parts) != 1 {
		return "", false
	}
	lit, ok := w.Parts[0].(*syntax.Lit)
	raw := r.src[span.Start:span.End]
	return raw, ok && lit.Value == raw && !strings.ContainsAny(raw, `\*?[~{`)
}

// literal is a word that stands for itself.
func (r *reader) literal(value string, span edit.Span) Word {
	return Word{Span: r.span(span), Raw: r.src[span.Start:span.End], Value: value, Literal: true}
}

// decoded is a word without its quotes: the ranges of the text whose bytes
// make its value.
type decoded struct {
	runs    []edit.Span
	unknown bool // a run is an expansion, or a pattern
}

func (d *decoded) add(start, end int) {
	if start < end {
		d.runs = append(d.runs, edit.Span{Start: start, End: end})
	}
}

func (d *decoded) value(src string) string {
	if len(d.runs) == 1 {
		return src[d.runs[0].Start:d.runs[0].End]
	}
	var b strings.Builder
	for _, s := range d.runs {
		b.WriteString(src[s.Start:s.End])
	}
	return b.String()
}

func (r *reader) decode(w *syntax.Word) *decoded {
	d := &decoded{}
	for i := 0; i < len(w.Parts); i++ {
		switch p := w.Parts[i].(type) {
		case *syntax.Lit:
			lit, n := joined(w.Parts[i:])
			r.unquoted(d, lit, i == 0)
			i += n - 1
		case *syntax.SglQuoted:
			// $'…' means one thing to bash and another to dash.
			d.unknown = d.unknown || p.Dollar
			span := textSpan(p)
			if !p.Dollar {
				span = edit.Span{Start: span.Start + 1, End: span.End - 1}
				d.unknown = d.unknown || r.src[span.Start:span.End] != p.Value
			}
			d.add(span.Start, span.End)
		case *syntax.DblQuoted:
			d.unknown = d.unknown || p.Dollar
			for k := 0; k < len(p.Parts); k++ {
				if lit, n := joined(p.Parts[k:]); n > 0 {
					r.escapes(d, lit, "$`\"\\")
					k += n - 1
					continue
				}
				d.expansion(p.Parts[k])
			}
		default:
			d.expansion(p)
		}
	}
	if r.braces(w) {
		d.unknown = true
	}
	return d
}

// joined makes one of the literal parts that parts begins with, and counts
// them. The parser cuts a literal where a line is continued.
func joined(parts []syntax.WordPart) (*syntax.Lit, int) {
	var all *syntax.Lit
	for n, p := range parts {
		lit, ok := p.(*syntax.Lit)
		switch {
		case !ok:
			return all, n
		case n == 0:
			all = lit
		default:
			all = &syntax.Lit{ValuePos: all.ValuePos, Value: all.Value + lit.Value, ValueEnd: lit.ValueEnd}
		}
	}
	return all, len(parts)
}

// expansion keeps what the shell replaces as it is written.
func (d *decoded) expansion(n syntax.Node) {
	d.unknown = true
	span := textSpan(n)
	d.add(span.Start, span.End)
}

// unquoted reads a part outside of quotes, where patterns and tildes count.
func (r *reader) unquoted(d *decoded, lit *syntax.Lit, first bool) {
	raw := r.src[lit.Pos().Offset():lit.End().Offset()]
	prev := byte('x')
	if first {
		prev = '='
	}
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '\\':
			i++
		case '*', '?':
			d.unknown = true
		case '[':
			// "[" alone is the test command.
			d.unknown = d.unknown || strings.Contains(raw[i:], "]")
		case '~':
			d.unknown = d.unknown || prev == '=' || prev == ':'
		}
		if i < len(raw) {
			prev = raw[i]
		}
	}
	r.escapes(d, lit, "")
}

// escapes adds a part without its backslashes. Inside double quotes only those
// before a byte of special count; special is empty outside.
func (r *reader) escapes(d *decoded, lit *syntax.Lit, special string) {
	start, end := int(lit.Pos().Offset()), int(lit.End().Offset())
	raw := r.src[start:end]
	if strings.ReplaceAll(raw, "\\\n", "") != strings.ReplaceAll(lit.Value, "\\\n", "") {
		// Backquotes take backslashes out once more.
		d.unknown = true
	}
	from := 0
	for i := 0; i < len(raw)-1; i++ {
		if raw[i] != '\\' {
			continue
		}
		next := raw[i+1]
		switch {
		case next == '\n':
			d.add(start+from, start+i)
			from = i + 2
		case special == "" || strings.IndexByte(special, next) >= 0:
			d.add(start+from, start+i)
			from = i + 1
		}
		i++
	}
	d.add(start+from, end)
}

// braces reports that bash may expand braces in the word. Whether /bin/sh does
// depends on the image.
func (r *reader) braces(w *syntax.Word) bool {
	var open, list bool
	for _, p := range w.Parts {
		lit, ok := p.(*syntax.Lit)
		if !ok {
			continue
		}
		raw := r.src[lit.Pos().Offset():lit.End().Offset()]
		for i := 0; i < len(raw); i++ {
			switch {
			case raw[i] == '\\':
				i++
			case raw[i] == '{':
				open = true
			case open && (raw[i] == ',' || strings.HasPrefix(raw[i:], "..")):
				list = true
			case raw[i] == '}' && list:
				return true
			}
		}
	}
	return false
}
