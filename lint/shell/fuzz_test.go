package shell

import (
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/edit"
)

// FuzzParse holds, for any script cut into pieces of a longer source, that
// nothing panics and that every span leads to the bytes it stands for.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"apt-get update && apt-get install -y \\\n curl; rm -rf /var/lib/apt/lists/*",
		"set -eux\ncat <<'E' >f && x\nbody $(y)\nE\nz | w &",
		"sudo -E env A='b c' sh -c \"echo \\\"$HOME\\\" && npm ci\"",
		"if [ -f x ]; then `a \\`b\\``; fi", "a=(b c) {d,e} $'f' <(g) [[ h ]]", "sh -c \"sh -c \\\"sh -c a\\\"\"",
	} {
		f.Add(s, byte(7), false)
		f.Add(s, byte(1), true)
	}
	f.Fuzz(func(t *testing.T, script string, step byte, bash bool) {
		if strings.Contains(script, mark) {
			return
		}
		src, text := scatter(script, int(step)+1)
		d := POSIX
		if bash {
			d = Bash
		}
		s := Parse(text, d)
		if (s.Err == nil) != (s.Syntax != nil) || (s.Err != nil && len(s.Statements) > 0) {
			t.Fatalf("Err %v with %d statements", s.Err, len(s.Statements))
		}
		checkPlaces(t, src, s)
	})
}

// mark stands for what BuildKit takes out of an instruction; no real script
// holds it.
const mark = "\x00\x01"

// scatter puts the script into a source with a mark after every step bytes.
func scatter(script string, step int) ([]byte, *edit.Text) {
	src := []byte("RUN ")
	var spans []edit.Span
	for at := 0; at < len(script); at += step {
		end := min(at+step, len(script))
		spans = append(spans, edit.Span{Start: len(src), End: len(src) + end - at})
		src = append(src, script[at:end]...)
		src = append(src, mark...)
	}
	text := &edit.Text{}
	for _, s := range spans {
		text.Add(src, s)
	}
	return src, text
}

func checkPlaces(t *testing.T, src []byte, s *Script) {
	t.Helper()
	inside := func(what string, sp edit.Span) {
		if sp.Start < 0 || sp.End < sp.Start || sp.End > len(src) {
			t.Fatalf("%s at %v of %d bytes", what, sp, len(src))
		}
	}
	end := 0
	for i, st := range s.Statements {
		inside("statement", st.Span)
		inside("separator", st.Separator)
		if i > 0 && st.Plain && s.Statements[i-1].Plain && st.Separator.Start != end {
			t.Fatalf("separator at %v, the statement before ends at %d", st.Separator, end)
		}
		end = st.Span.End
		for _, c := range st.Commands {
			inside("command", c.Span)
			words := append([]Word{}, c.Words...)
			for _, a := range c.Assigns {
				words = append(words, a.Value)
			}
			for _, r := range c.Redirects {
				words = append(words, r.Path)
			}
			for _, w := range words {
				inside("word", w.Span)
				if !scripted(c) && strings.ReplaceAll(w.Span.Of(src), mark, "") != w.Raw {
					t.Fatalf("word %q stands at %q", w.Raw, w.Span.Of(src))
				}
			}
		}
	}
}

// scripted reports that the command stands in the script of sh -c, whose raw
// text lacks the quoting of the Dockerfile.
func scripted(c *Command) bool {
	for _, w := range c.Wrappers {
		switch w.Value {
		case "sh", "dash", "ash", "bash", "su":
			return true
		}
	}
	return false
}
