package dockerfile

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	bkshell "github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/imgmgr/imgmgr/lint/edit"
)

// lexer takes the joined line of one instruction apart, by the rules of
// BuildKit's splitCommand and line parsers. All offsets are in the joined line.
type lexer struct {
	src    []byte
	escape byte
	line   joined

	triggered bool // inside an ONBUILD
	unsure    bool // BuildKit's parser refuses the line, or reads it in another way
}

// blanks separate words for BuildKit, except where it takes all of Unicode's
// white space.
const blanks = "\t\v\f\r "

// fill sets keyword, flags, body and arguments of the instruction that stands
// between start and end.
func (l *lexer) fill(in *Instruction, start, end int) {
	line := string(l.line.text[start:end])
	start, end = l.trim(start, end)
	stop := end
	if i := bytes.IndexAny(l.line.text[start:end], blanks); i >= 0 {
		stop = start + i
	}
	in.Keyword = l.line.span(start, stop)
	keyword := string(l.line.text[start:stop])
	in.Name = instructionName(keyword)
	at := stop
	for at < end && strings.IndexByte(blanks, l.line.text[at]) >= 0 {
		at++
	}
	at = l.flags(in, at, end)
	start, end = l.trim(at, end)
	in.Body = l.line.slice(l.src, start, end)
	l.arguments(in, start, end)
	in.makeNode(keyword, line)
}

// instructionName is the keyword in upper case. Only known keywords may become
// one: BuildKit compares in lower case, where other letters fold.
func instructionName(keyword string) string {
	lower, upper := strings.ToLower(keyword), strings.ToUpper(keyword)
	if _, known := command.Commands[lower]; known {
		return strings.ToUpper(lower)
	}
	if _, known := command.Commands[strings.ToLower(upper)]; known {
		return keyword
	}
	return upper
}

// trim takes the white space off both ends.
func (l *lexer) trim(start, end int) (int, int) {
	text := bytes.TrimRightFunc(l.line.text[start:end], unicode.IsSpace)
	end = start + len(text)
	return end - len(bytes.TrimLeftFunc(text, unicode.IsSpace)), end
}

// flags reads the words that start with "--" and returns where the rest
// begins. BuildKit goes by bytes here: 0x85 and 0xA0 are white space even
// within a letter of two bytes, and a byte outside ASCII becomes a letter of
// its own.
func (l *lexer) flags(in *Instruction, at, end int) int {
	text := l.line.text
	for {
		for at < end && unicode.IsSpace(rune(text[at])) {
			at++
		}
		if at+1 >= end || text[at] != '-' || text[at+1] != '-' {
			return at
		}
		start := at
		word, quoted, stop := l.flagWord(at, end)
		at = stop
		if word == "--" {
			return at
		}
		if word == "" && !quoted {
			continue
		}
		name, value, _ := strings.Cut(word, "=")
		in.Flags = append(in.Flags, Flag{
			Span: l.line.span(start, stop), Name: strings.TrimPrefix(name, "--"), Value: value, word: word,
		})
	}
}

// flagWord reads one word with quotes and escapes removed and returns its end.
func (l *lexer) flagWord(at, end int) (word string, quoted bool, stop int) {
	var b strings.Builder
	var quote byte
	for ; at < end; at++ {
		c := l.line.text[at]
		switch {
		case quote == 0 && unicode.IsSpace(rune(c)):
			return b.String(), quoted, at
		case quote == 0 && (c == '\'' || c == '"'):
			quote, quoted = c, true
			continue
		case quote != 0 && c == quote:
			quote = 0
			continue
		case c == l.escape:
			if at++; at == end {
				return b.String(), quoted, end
			}
			c = l.line.text[at]
		}
		b.WriteRune(rune(c))
	}
	return b.String(), quoted, end
}

// arguments sets Args and JSON from the text between start and end.
func (l *lexer) arguments(in *Instruction, start, end int) {
	switch in.Name {
	case "ADD", "COPY", "VOLUME":
		if !l.json(in, start, end) {
			l.fields(in, start, end)
		}
	case "EXPOSE", "FROM":
		l.fields(in, start, end)
	case "CMD", "ENTRYPOINT", "RUN", "SHELL":
		l.commandLine(in, start, end)
	case "HEALTHCHECK":
		l.healthcheck(in, start, end)
	case "ARG":
		for _, w := range l.words(start, end) {
			in.Args = append(in.Args, l.word(w.Start, w.End))
		}
	case "ENV", "LABEL":
		l.pairs(in, start, end)
	case "MAINTAINER":
		if start < end {
			in.Args = []Word{l.rawWord(start, end)}
		}
	case "STOPSIGNAL", "USER", "WORKDIR":
		if start < end {
			in.Args = []Word{l.word(start, end)}
		}
	case "ONBUILD":
		if start < end {
			in.Args = []Word{l.rawWord(start, end)}
			l.trigger(in, start, end)
		}
	}
}

// trigger reads the instruction inside an ONBUILD. BuildKit refuses an ONBUILD
// there, and taking those apart too would cost the square of the line's length.
func (l *lexer) trigger(in *Instruction, start, end int) {
	if l.triggered {
		l.unsure = true
		return
	}
	l.triggered = true
	in.Trigger = &Instruction{}
	l.fill(in.Trigger, start, end)
}

// commandLine reads a JSON array, or else the whole as one word.
func (l *lexer) commandLine(in *Instruction, start, end int) {
	if start < end && !l.json(in, start, end) {
		in.Args = append(in.Args, l.rawWord(start, end))
	}
}

// healthcheck reads the type and the command line behind it. BuildKit finds
// the border byte by byte.
func (l *lexer) healthcheck(in *Instruction, start, end int) {
	stop := start
	for stop < end && !unicode.IsSpace(rune(l.line.text[stop])) {
		stop++
	}
	if stop == start {
		return
	}
	in.Args = []Word{l.rawWord(start, stop)}
	for stop < end && unicode.IsSpace(rune(l.line.text[stop])) {
		stop++
	}
	l.commandLine(in, stop, end)
}

// fields splits at blanks, whatever the quotes.
func (l *lexer) fields(in *Instruction, start, end int) {
	for at := start; at < end; {
		stop := end
		if i := bytes.IndexAny(l.line.text[at:end], blanks); i >= 0 {
			stop = at + i
		}
		in.Args = append(in.Args, l.word(at, stop))
		for at = stop; at < end && strings.IndexByte(blanks, l.line.text[at]) >= 0; at++ {
		}
	}
}

// pairs reads NAME=VALUE words, or the old form of a name and one value.
func (l *lexer) pairs(in *Instruction, start, end int) {
	words := l.words(start, end)
	if len(words) == 0 {
		return
	}
	if first := words[0]; bytes.IndexByte(l.line.text[first.Start:first.End], '=') < 0 {
		i := bytes.IndexAny(l.line.text[start:end], blanks)
		if i < 0 {
			l.unsure = true // BuildKit refuses it
			return
		}
		value := start + i
		for value < end && strings.IndexByte(blanks, l.line.text[value]) >= 0 {
			value++
		}
		in.Args = []Word{l.word(start, start+i), l.word(value, end)}
		return
	}
	for _, w := range words {
		word := l.word(w.Start, w.End)
		l.unsure = l.unsure || !strings.Contains(word.Raw, "=") // BuildKit refuses it
		in.Args = append(in.Args, word)
	}
}

// words splits at white space outside quotes. An escape character protects the
// one behind it, except in single quotes; at the very end it is dropped.
func (l *lexer) words(start, end int) []edit.Span {
	var words []edit.Span
	begin, kept := -1, false // kept: the word holds more than a dropped escape
	var quote rune
	text := l.line.text
	for at := start; at < end; {
		c, n := utf8.DecodeRune(text[at:end])
		switch {
		case quote == 0 && unicode.IsSpace(c):
			if begin >= 0 {
				words = append(words, edit.Span{Start: begin, End: at})
			}
			begin, kept = -1, false
			at += n
			continue
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		}
		if begin < 0 {
			begin = at
		}
		if c == rune(l.escape) && quote != '\'' {
			if at+n == end {
				end = at // dropped
				break
			}
			at += n
			_, n = utf8.DecodeRune(text[at:end])
		}
		kept = true
		at += n
	}
	if begin >= 0 && kept {
		words = append(words, edit.Span{Start: begin, End: end})
	}
	return words
}

// json reads an array of strings and reports whether it is one.
func (l *lexer) json(in *Instruction, start, end int) bool {
	text := bytes.TrimLeftFunc(l.line.text[start:end], unicode.IsSpace)
	start = end - len(text)
	values, array := stringArray(text)
	if values == nil {
		l.unsure = l.unsure || array // BuildKit refuses it
		return false
	}
	at := 1
	for _, v := range values {
		at += bytes.IndexByte(text[at:], '"')
		stop := at + 1
		for text[stop] != '"' {
			if text[stop] == '\\' {
				stop++
			}
			stop++
		}
		stop++
		w := l.rawWord(start+at, start+stop)
		w.Value = v
		in.Args = append(in.Args, w)
		at = stop
	}
	in.JSON = true
	return true
}

// stringArray decodes a JSON array of nothing but strings. It returns nil for
// any other text, and whether that is an array of something else.
func stringArray(text []byte) (values []string, array bool) {
	var elements []any
	if len(text) == 0 || text[0] != '[' || json.Unmarshal(text, &elements) != nil {
		return nil, false
	}
	values = make([]string, len(elements))
	for i, e := range elements {
		s, ok := e.(string)
		if !ok {
			return nil, true
		}
		values[i] = s
	}
	return values, true
}

// word is an argument that BuildKit will take the quotes off.
func (l *lexer) word(start, end int) Word {
	w := l.rawWord(start, end)
	// BuildKit's lexer writes to standard error at bytes that aren't UTF-8.
	if strings.ContainsAny(w.Raw, `'"`+string(rune(l.escape))) && utf8.ValidString(w.Raw) {
		lex := bkshell.NewLex(rune(l.escape))
		lex.SkipUnsetEnv = true
		if value, _, err := lex.ProcessWord(w.Raw, noVariables{}); err == nil {
			w.Value = value
		}
	}
	return w
}

// rawWord is an argument that stands as it is.
func (l *lexer) rawWord(start, end int) Word {
	raw := string(l.line.text[start:end])
	return Word{Span: l.line.span(start, end), Raw: raw, Value: raw}
}

// takesHeredocs reports whether "<<" in the line can start an inline file.
func (l *lexer) takesHeredocs(in *Instruction) bool {
	if in.Name == "ONBUILD" && in.Trigger != nil {
		in = in.Trigger
	}
	switch in.Name {
	case "ADD", "COPY", "RUN":
		return !in.JSON && bytes.Contains(l.line.text, []byte("<<"))
	}
	return false
}

// heredocWords finds the words that announce inline files. BuildKit's own
// lexer splits the line, always with the backslash; places are found again by
// going through the line word by word.
func (l *lexer) heredocWords() ([]Heredoc, error) {
	line := string(l.line.text)
	lex := bkshell.NewLex('\\')
	lex.RawQuotes, lex.RawEscapes, lex.SkipUnsetEnv = true, true, true
	words, _ := lex.ProcessWords(line, noVariables{}) // no words on an error, as in BuildKit
	var docs []Heredoc
	at := 0
	for _, word := range words {
		i := strings.Index(line[at:], word)
		doc, err := parser.ParseHeredoc(word)
		if err != nil {
			return nil, err
		}
		if doc != nil {
			h := Heredoc{Name: doc.Name, Expand: doc.Expand, Chomp: doc.Chomp, FileDescriptor: doc.FileDescriptor}
			if i >= 0 {
				h.Word = l.line.span(at+i, at+i+len(word))
			} else {
				h.Word = l.line.span(at, at)
			}
			docs = append(docs, h)
		}
		if i >= 0 {
			at += i + len(word)
		}
	}
	return docs, nil
}

// noVariables is an environment without variables.
type noVariables struct{}

func (noVariables) Get(string) (string, bool) { return "", false }
func (noVariables) Keys() []string            { return nil }
