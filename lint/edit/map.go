package edit

// Map leads from an edited text back to the original. It is made along with
// the edits, round by round, and so knows where moved lines came from.
type Map struct {
	src    []byte
	lines  *Lines // of the original
	edited *Lines
	pieces []mapped
	before *Map // leads from src on to an earlier original; nil at the first
}

// mapped is a run of bytes of the edited text with one origin.
type mapped struct {
	at     int  // offset in the edited text
	origin Span // bytes of the original; as long as the run where it was kept
	kept   bool // copied byte by byte
}

// Identity is the map of a text onto itself.
func Identity(src []byte) *Map {
	l := NewLines(src)
	return &Map{src: src, lines: l, edited: l, pieces: []mapped{{0, Span{0, len(src)}, true}}}
}

// Apply makes the edits in the edited text that m leads back from, and returns
// the new text with the map that leads from it to m's original.
func (m *Map) Apply(text []byte, edits []Edit) ([]byte, *Map, error) {
	out, err := Apply(text, edits)
	if err != nil {
		return nil, nil, err
	}
	sorted, _ := arrange(len(text), edits)
	next := &Map{src: text, lines: m.edited, edited: NewLines(out), before: m}
	at, from := 0, 0
	add := func(n int, p mapped) {
		if n > 0 {
			p.at = at
			next.pieces = append(next.pieces, p)
			at += n
		}
	}
	for _, e := range sorted {
		add(e.Start-from, mapped{origin: Span{from, e.Start}, kept: true})
		origin := e.Span
		if e.Origin.Len() > 0 {
			origin = e.Origin
		}
		add(len(e.New), mapped{origin: origin})
		from = e.End
	}
	add(len(text)-from, mapped{origin: Span{from, len(text)}, kept: true})
	return out, next, nil
}

// Offset returns the offset in the original of the byte at i of the edited
// text. New bytes are taken to the bytes they stand for, line by line.
func (m *Map) Offset(i int) int {
	if m == nil {
		return i
	}
	at := m.step(i)
	if m.before == nil {
		return at
	}
	return m.before.Offset(at)
}

// Line returns the line of the original, from 1, that a line of the edited
// text stands for.
func (m *Map) Line(line int) int {
	first := m
	for first.before != nil {
		first = first.before
	}
	return first.lines.Line(m.Offset(m.edited.Span(line).Start))
}

// Text returns the line of the original that a line of the edited text stands
// for, with its newline.
func (m *Map) Text(line int) string {
	first := m
	for first.before != nil {
		first = first.before
	}
	return string(first.lines.Span(m.Line(line)).Of(first.src))
}

// step leads one round back.
func (m *Map) step(i int) int {
	for n := len(m.pieces) - 1; n >= 0; n-- {
		p := m.pieces[n]
		if p.at > i {
			continue
		}
		if p.kept {
			return min(p.origin.Start+i-p.at, p.origin.End)
		}
		// The k-th line of the new bytes stands for the k-th line of their
		// origin, and further lines for its last.
		line := m.edited.Line(i) - m.edited.Line(p.at)
		first, last := m.lines.Line(p.origin.Start), m.lines.Line(max(p.origin.Start, p.origin.End-1))
		if line == 0 {
			return p.origin.Start
		}
		return m.lines.Span(min(first+line, last)).Start
	}
	return 0
}
