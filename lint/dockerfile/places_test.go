package dockerfile_test

import (
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

const placed = "\ufeff# syntax=docker/dockerfile:1\n# about a\n\tFROM a AS x\n\n# gone\n\n# one\n  # two\n  RUN --mount=type=cache,target=/c --mount=from=x,target=/d \\\n    b\n# end\nCMD c"

func TestPlaces(t *testing.T) {
	f := parse(t, placed)
	run := f.Stages[0].Instructions[0]
	cmd := f.Stages[0].Instructions[1]
	for _, c := range []struct {
		what      string
		got, want string
	}{
		{"whole lines of RUN", f.Text(f.WholeLines(run.Span)), "  RUN --mount=type=cache,target=/c --mount=from=x,target=/d \\\n    b\n"},
		{"whole lines of the last instruction", f.Text(f.WholeLines(cmd.Span)), "CMD c"},
		{"whole lines of an empty span", f.Text(f.WholeLines(edit.Span{Start: run.Span.End, End: run.Span.End})), "    b\n"},
		{"whole lines at the byte order mark", f.Text(f.WholeLines(f.Directives[0].Span)), "# syntax=docker/dockerfile:1\n"},
		{"indentation", f.Indent(run.Span.Start + 3), "  "},
		{"indentation by a tab", f.Indent(f.Stages[0].From.Span.End), "\t"},
		{"above RUN", firstLine(placed[f.InsertAbove(run):]), "# one"},
		{"above FROM", firstLine(placed[f.InsertAbove(f.Stages[0].From):]), "# about a"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
	if at, ok := f.InsertBelow(run); !ok || firstLine(placed[at:]) != "# end" {
		t.Errorf("below RUN is %d, %t", at, ok)
	}
	if at, ok := f.InsertBelow(cmd); ok || at != len(placed) {
		t.Errorf("below CMD is %d, %t", at, ok)
	}
	if in := f.At(strings.Index(placed, "    b")); in != run {
		t.Errorf("at the second line of RUN is %v", in)
	}
	for _, text := range []string{"# gone", "# one", "# end", "# syntax"} {
		if in := f.At(strings.Index(placed, text)); in != nil {
			t.Errorf("at %s is %s", text, in.Name)
		}
	}
}

// BuildKit finds the syntax line below a #! line, too, where it is a comment to
// the frontend.
func TestSyntax(t *testing.T) {
	for _, c := range []struct{ src, line, value string }{
		{"FROM a\n", "", ""},
		{"\ufeff# syntax = docker/dockerfile:1 a=b\r\nFROM a\n", "# syntax = docker/dockerfile:1 a=b", "docker/dockerfile:1 a=b"},
		{"# check=skip=all\n# syntax=a\nFROM a\n", "# syntax=a", "a"},
		{"#!/usr/bin/docker build\n# escape=`\n# syntax=a\nFROM a\n", "# syntax=a", "a"},
		{"#!/usr/bin/docker build\n\n# syntax=a\nFROM a\n", "", ""},
	} {
		f := parse(t, c.src)
		d, ok := f.Syntax()
		if ok != (c.line != "") || d.Value != c.value || f.Text(d.Span) != c.line {
			t.Errorf("%q: %t, %q on the line %q", c.src, ok, d.Value, f.Text(d.Span))
		}
	}
}

func TestInsertAboveWithoutComments(t *testing.T) {
	src := "\ufeffFROM a\n\n\tRUN b\n"
	f := parse(t, src)
	if at := f.InsertAbove(f.Instructions[0]); at != 3 {
		t.Errorf("above FROM is %d, which isn't behind the byte order mark", at)
	}
	if at := f.InsertAbove(f.Instructions[1]); firstLine(src[at:]) != "\tRUN b" {
		t.Errorf("above RUN is %d", at)
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func TestFlagsAndMounts(t *testing.T) {
	f := parse(t, placed)
	run := f.Stages[0].Instructions[0]
	if flag, ok := run.Flag("mount"); !ok || f.Text(flag.Span) != "--mount=type=cache,target=/c" {
		t.Errorf("first mount is %+v, %t", flag, ok)
	}
	if _, ok := run.Flag("network"); ok {
		t.Error("a flag that isn't there")
	}
	if m := run.Mounts(); len(m) != 2 || m[1].From != "x" {
		t.Errorf("mounts are %v", m)
	}
	if m := f.Stages[0].From.Mounts(); m != nil {
		t.Errorf("FROM has mounts %v", m)
	}
	if s := f.Sources(run); len(s) != 1 || s[0] != f.Stages[0] {
		t.Errorf("sources are %v", s)
	}
}

func TestNewline(t *testing.T) {
	for src, want := range map[string]string{"FROM a": "\n", "FROM a\nRUN b\r\n": "\n", "FROM a\r\nRUN b\n": "\r\n", "\nFROM a\r\n": "\n"} {
		if got := parse(t, src).Newline; got != want {
			t.Errorf("newline of %q is %q", src, got)
		}
	}
}

func TestTokenKinds(t *testing.T) {
	f := parse(t, "\ufeff# escape=\\\n\n# c\nFROM a \\\n\n # d\n b\n \t\r\nRUN <<E\nE\n\n")
	letters := map[dockerfile.Kind]string{
		dockerfile.ByteOrderMark: "m", dockerfile.DirectiveLine: "d", dockerfile.CommentLine: "c",
		dockerfile.InstructionRun: "i", dockerfile.Blank: "b",
	}
	got := ""
	for _, tok := range f.Tokens {
		got += letters[tok.Kind]
	}
	if got != "mdbcibib" {
		t.Errorf("tokens are %s", got)
	}
}

func TestUnfinished(t *testing.T) {
	for src, want := range map[string]bool{
		"FROM a\nRUN b":                  false,
		"FROM a\nRUN b \\":               true,
		"FROM a\nRUN b \\\n":             true,
		"FROM a\nRUN b \\\n  # c\n\n":    true,
		"FROM a\r\nRUN b \\\r\n":         true,
		"FROM a\nRUN b \\\n c\n":         false,
		"FROM a\nRUN b \\\n c\n# d \\\n": false,
		"# escape=`\nFROM a\nRUN b \\\n": false,
		"# escape=`\nFROM a\nRUN b `\n":  true,
		"FROM a\nRUN <<E\n\\\nE\n":       false,
	} {
		f, err := dockerfile.Parse("Dockerfile", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Unfinished() != nil; got != want {
			t.Errorf("%q: unfinished is %v", src, got)
		}
	}
}
