package retention

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// cursor walks over JSON whose form is known. An inventory of a million tags has a
// gigabyte of text, of which encoding/json reads a tenth in a second. What it returns
// are cuts of the text. The first error stays, and ends all lists; where the text
// ends too early, that is io.ErrUnexpectedEOF.
type cursor struct {
	text string
	at   int
	err  error
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// next is the next byte that is no white space, or 0.
func (c *cursor) next() byte {
	for c.err == nil {
		if c.at == len(c.text) {
			c.fail(io.ErrUnexpectedEOF)
			break
		}
		switch b := c.text[c.at]; b {
		case ' ', '\n', '\t', '\r':
			c.at++
		default:
			return b
		}
	}
	return 0
}

// take steps over a byte that has to be there.
func (c *cursor) take(want byte) {
	if got := c.next(); c.err == nil && got != want {
		c.fail(fmt.Errorf("there is %q in place of %q", got, want))
	}
	c.at++
}

// null steps over a null, if there is one.
func (c *cursor) null() bool {
	if c.next() != 'n' {
		return false
	}
	return c.word("null")
}

func (c *cursor) word(want string) bool {
	switch rest := c.text[c.at:]; {
	case strings.HasPrefix(rest, want):
		c.at += len(want)
		return true
	case strings.HasPrefix(want, rest):
		c.fail(io.ErrUnexpectedEOF)
	default:
		c.fail(fmt.Errorf("there is %.10q in place of %s", rest, want))
	}
	return false
}

// object calls field for each field; it has to read the value.
func (c *cursor) object(field func(name string)) {
	c.list('{', '}', func() {
		name := c.string()
		c.take(':')
		field(name)
	})
}

// array calls item for each item; it has to read it.
func (c *cursor) array(item func()) { c.list('[', ']', item) }

func (c *cursor) list(begin, end byte, item func()) {
	if c.null() {
		return
	}
	c.take(begin)
	for more := c.next() != end; more && c.err == nil; {
		item()
		if more = c.next() == ','; more {
			c.at++
		}
	}
	c.take(end)
}

func (c *cursor) string() string {
	if c.null() {
		return ""
	}
	start := c.at
	c.quoted()
	if c.err != nil {
		return ""
	}
	text := c.text[start:c.at]
	if inner := text[1 : len(text)-1]; isPlain(inner) {
		return inner
	}
	var s string
	c.decode(text, &s)
	return s
}

// isPlain reports text that stands in JSON as it is.
func isPlain(s string) bool {
	for i := range len(s) {
		if b := s[i]; b < ' ' || b > '~' || b == '"' || b == '\\' {
			return false
		}
	}
	return true
}

func (c *cursor) decode(text string, to any) {
	if c.err != nil {
		return
	}
	if err := json.Unmarshal([]byte(text), to); err != nil {
		c.fail(err)
	}
}

// quoted steps over a string.
func (c *cursor) quoted() {
	c.take('"')
	for c.err == nil {
		i := strings.IndexByte(c.text[min(c.at, len(c.text)):], '"')
		if i < 0 {
			c.fail(io.ErrUnexpectedEOF)
			return
		}
		end := c.at + i
		c.at = end + 1
		slashes := 0
		for c.text[end-1-slashes] == '\\' { // it ends at the opening quote
			slashes++
		}
		if slashes%2 == 0 {
			return
		}
	}
}

func (c *cursor) int() int64 {
	if c.null() {
		return 0
	}
	text := c.value()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil && c.err == nil {
		c.fail(fmt.Errorf("%.20q is no number of bytes", text))
	}
	return n
}

func (c *cursor) bool() (b bool) {
	c.decode(c.value(), &b)
	return b
}

func (c *cursor) time() time.Time {
	text := c.string()
	if text == "" || c.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		c.fail(err)
	}
	return t
}

// value steps over any value, and returns its text.
func (c *cursor) value() string {
	c.next()
	start, depth := c.at, 0
	for c.err == nil {
		switch b := c.next(); b {
		case '"':
			c.quoted()
		case '{', '[':
			depth++
			c.at++
		case '}', ']':
			depth--
			c.at++
		case ',', ':':
			c.at++
		default:
			i := strings.IndexAny(c.text[c.at:], ",:]}\" \n\t\r")
			if i < 0 {
				c.fail(io.ErrUnexpectedEOF) // the rest of it may follow
				break
			}
			c.at += i
		}
		if depth <= 0 {
			break
		}
	}
	if c.err != nil {
		return ""
	}
	return c.text[start:c.at]
}
