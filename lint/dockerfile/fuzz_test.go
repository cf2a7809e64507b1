package dockerfile_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// FuzzParse holds that Parse reads what BuildKit reads and refuses what
// BuildKit refuses, that nothing panics, and all that audit checks.
func FuzzParse(f *testing.F) {
	for _, c := range traps {
		f.Add([]byte(c.src))
	}
	for _, c := range faults {
		f.Add([]byte(c.src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, err := dockerfile.Parse("Dockerfile", src)
		_, want := parser.Parse(bytes.NewReader(src))
		if err != nil {
			var pe *dockerfile.ParseError
			if !errors.As(err, &pe) || pe.Line < 1 || pe.EndLine < pe.Line || pe.Line > bytes.Count(src, []byte("\n"))+1 {
				t.Fatalf("error without a place: %#v", err)
			}
			if want == nil {
				t.Fatalf("BuildKit parses it, we say: %s", err)
			}
			return
		}
		if want != nil {
			t.Fatalf("we parse it, BuildKit says: %s", want)
		}
		if complaints := audit(file); len(complaints) > 0 {
			t.Fatal(strings.Join(complaints, "\n"))
		}
		for _, st := range file.Stages {
			file.BaseRef(st, map[string]string{"A": "1"})
			file.Needed(st.Name)
			st.External()
		}
		for _, in := range file.Instructions {
			file.InsertAbove(in)
			file.WholeLines(in.Span)
		}
	})
}
