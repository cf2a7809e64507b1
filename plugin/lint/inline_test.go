package lint

import (
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/edit"
)

func TestInlineStandsInItsFile(t *testing.T) {
	for name, tt := range map[string]struct{ file, host, text string }{
		"heredoc":        {"a.hcl", "x = <<EOT\nFROM a\n\nENV B=$${C} D=%%{E}\nEOT\n", "FROM a\n\nENV B=${C} D=%{E}\n"},
		"indented":       {"a.hcl", "x = <<-EOT\n\t\tFROM a\n  \n\t\t  RUN b\n\tEOT\n", "FROM a\n\n  RUN b\n"},
		"compose":        {"a.yaml", "b: |\n  FROM a\n  RUN echo $$X\n", "FROM a\nRUN echo $X\n"},
		"windows":        {"a.yaml", "b: |\r\n  FROM a\r\n  RUN b\r\n", "FROM a\nRUN b\n"},
		"end of file":    {"a.yaml", "b: |\n  FROM a\n  RUN b", "FROM a\nRUN b\n"},
		"another before": {"a.yaml", "a: |\n  FROM a\n  RUN c\nb: |\n  FROM a\n  RUN b\n", "FROM a\nRUN b\n"},
	} {
		in := locate(tt.text, []*host{{name: tt.file, src: []byte(tt.host)}})
		if in.lines == nil {
			t.Errorf("%s: not found", name)
			continue
		}
		if got := string(in.rewritten(tt.text)); strings.TrimRight(strings.ReplaceAll(got, "  \n", "\n"), "\r\n") != strings.TrimRight(strings.ReplaceAll(tt.host, "  \n", "\n"), "\r\n") {
			t.Errorf("%s: the same text changes the file:\n%q\n%q", name, tt.host, got)
		}
		got := string(in.rewritten("FROM changed\nRUN $X ${Y}\n"))
		if again := locate("FROM changed\nRUN $X ${Y}\n", []*host{{name: tt.file, src: []byte(got)}}); again.lines == nil {
			t.Errorf("%s: the rewritten text isn't in the file:\n%s", name, got)
		}
		// Each word of the text leads to the same word in the host.
		for _, word := range strings.Fields(tt.text) {
			at := strings.LastIndex(tt.text, word)
			span := in.span(edit.Span{Start: at, End: at + len(word)})
			if have := span.Of(in.src); have != word && have != in.escape(word) {
				t.Errorf("%s: %q is at %q", name, word, have)
			}
		}
		if end := in.offset(len(tt.text)); end < in.offset(0) || end > len(tt.host) {
			t.Errorf("%s: the end is at %d of %d", name, end, len(tt.host))
		}
	}
}

func TestInlineWithoutAPlace(t *testing.T) {
	for name, tt := range map[string]struct{ host, text string }{
		"quoted":   {`x = "FROM a\nRUN b"`, "FROM a\nRUN b"},
		"variable": {"x = <<EOT\nFROM ${A}\nEOT\n", "FROM a\n"},
		"twice":    {"x = <<EOT\nFROM a\nEOT\ny = <<EOT\nFROM a\nEOT\n", "FROM a\n"},
		"empty":    {"x = \"\"\n", ""},
		"uneven":   {"x = <<EOT\n  FROM a\n RUN b\nEOT\n", "FROM a\nRUN b\n"},
	} {
		in := locate(tt.text, []*host{{name: "a.hcl", src: []byte(tt.host)}})
		if in.lines != nil {
			t.Errorf("%s: found at %v", name, in.lines)
		}
		if err := in.write("FROM b\n"); err == nil {
			t.Errorf("%s: its repair was written", name)
		}
	}
}
