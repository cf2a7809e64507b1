package retention

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strconv"
)

// printer prints JSON as json.Encoder does with an indent of two spaces and without
// escapes for HTML, at ten times its speed. Errors are the writer's, at its Flush.
type printer struct {
	w      *bufio.Writer
	indent string
	some   bool // the object or list has a value
}

// line begins a value of the object or list.
func (p *printer) line() {
	if p.some {
		p.w.WriteString(",")
	}
	p.some = true
	p.w.WriteString("\n")
	p.w.WriteString(p.indent)
}

func (p *printer) name(name string) {
	p.line()
	p.w.WriteByte('"')
	p.w.WriteString(name)
	p.w.WriteString(`": `)
}

func (p *printer) literal(name, value string) {
	p.name(name)
	p.w.WriteString(value)
}

func (p *printer) number(name string, n int64) {
	p.name(name)
	p.w.Write(strconv.AppendInt(p.w.AvailableBuffer(), n, 10))
}

func (p *printer) string(name, s string) {
	p.name(name)
	if isPlain(s) {
		p.w.WriteByte('"')
		p.w.WriteString(s)
		p.w.WriteByte('"')
		return
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) == nil { // a string can be encoded
		p.w.Write(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
	}
}

// nested prints what fields prints, between braces or brackets.
func (p *printer) nested(open, end string, fields func()) {
	p.w.WriteString(open)
	p.indent, p.some = p.indent+"  ", false
	fields()
	p.indent = p.indent[2:]
	if p.some {
		p.w.WriteString("\n")
		p.w.WriteString(p.indent)
	}
	p.w.WriteString(end)
	p.some = true
}

func printList[T any](p *printer, name string, all []T, fields func(*T)) {
	p.name(name)
	p.nested("[", "]", func() {
		for i := range all {
			p.line()
			p.nested("{", "}", func() { fields(&all[i]) })
		}
	})
}
