package dockerfile_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// BenchmarkParse reads files of the usual and of an unusual size; the first
// one is BuildKit's parser alone.
func BenchmarkParse(b *testing.B) {
	usual := []byte(benchFile(4))
	b.Run("buildkit/usual", func(b *testing.B) {
		b.SetBytes(int64(len(usual)))
		for b.Loop() {
			if _, err := parser.Parse(bytes.NewReader(usual)); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, src := range map[string][]byte{"usual": usual, "large": []byte(benchFile(400))} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := dockerfile.Parse("Dockerfile", src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkScript reads the scripts of a file as well.
func BenchmarkScript(b *testing.B) {
	src := []byte(benchFile(4))
	for b.Loop() {
		f, err := dockerfile.Parse("Dockerfile", src)
		if err != nil {
			b.Fatal(err)
		}
		for _, in := range f.Instructions {
			f.Script(in)
		}
	}
}

func benchFile(stages int) string {
	var s strings.Builder
	s.WriteString("# syntax=docker/dockerfile:1\nARG VERSION=12\n")
	for i := range stages {
		fmt.Fprintf(&s, "\n# stage %d\nFROM debian:$VERSION AS s%d\n", i, i)
		s.WriteString("RUN --mount=type=cache,target=/var/cache/apt \\\n    apt-get update && \\\n    # tools\n    apt-get install -y --no-install-recommends ca-certificates curl \\\n    && rm -rf /var/lib/apt/lists/*\n")
		s.WriteString("WORKDIR /src\nENV A=1 B=\"two words\"\nCOPY --chown=1:1 go.mod go.sum ./\nCOPY <<EOF /etc/app.conf\nkey = value\nEOF\nCMD [\"/app\", \"--serve\"]\n")
	}
	return s.String()
}
