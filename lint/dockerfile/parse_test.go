package dockerfile_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// A trap is a Dockerfile that is easy to read wrongly. Its outline (see
// outline) shows every span as the bytes that it covers.
type trap struct{ name, src, want string }

var traps = []trap{
	{"plain",
		"FROM debian\nRUN apt-get update\n",
		`1-1 FROM {FROM debian} args [debian]
2-2 RUN {RUN apt-get update} args [apt-get update]`},
	{"no final newline, lower case, indentation",
		"  from debian\n\trun  true",
		`1-1 FROM {from debian} args [debian]
2-2 RUN {run  true} args [true]`},
	{"byte order mark",
		"\ufeff# escape=`\nFROM a `\n  AS b\n",
		"directive {# escape=`} escape ` \n" + "2-3 FROM {FROM a `\n  AS b} args [a] [AS] [b]"},
	{"directives end at the first other comment",
		"# syntax=docker/dockerfile:1\n# check=skip=all\n# escape = `\n# hello\n# check=error=true\nFROM a\n",
		"directive {# syntax=docker/dockerfile:1} syntax docker/dockerfile:1 \ndirective {# check=skip=all} check skip=all \ndirective {# escape = `} escape ` \n" +
			"comment {# hello} hello\ncomment {# check=error=true} check=error=true\n6-6 FROM {FROM a} args [a] lead 2"},
	{"no directive behind a blank line",
		"\n# escape=`\nFROM a\n",
		"comment {# escape=`} escape=`\n3-3 FROM {FROM a} args [a] lead 1"},
	{"comments and empty lines inside a continuation",
		"FROM a\n# lead\nRUN one && \\\n\n  # inside \\\n\t\\\n  two\n",
		"1-1 FROM {FROM a} args [a]\ncomment {# lead} lead\ncomment {# inside \\} inside \\\n" +
			"3-7 RUN {RUN one && \\\n\n  # inside \\\n\t\\\n  two} args [one && \\\n\n  # inside \\\n\t\\\n  two] inner 1 lead 1"},
	{"blanks behind the escape character",
		"FROM a\nRUN one \\ \t\n two\n",
		"1-1 FROM {FROM a} args [a]\n2-3 RUN {RUN one \\ \t\n two} args [one \\ \t\n two]"},
	{"two escape characters don't continue",
		"FROM a\nRUN one \\\\\nRUN two\n",
		"1-1 FROM {FROM a} args [a]\n2-2 RUN {RUN one \\\\} args [one \\\\]\n3-3 RUN {RUN two} args [two]"},
	{"a continuation to the end of the file",
		"FROM a\nRUN one \\\n\n# tail\n",
		"1-1 FROM {FROM a} args [a]\ncomment {# tail} tail\n2-4 RUN {RUN one \\\n\n# tail} args [one] inner 1"},
	{"an escape character on a line of its own above",
		"\\\n\nFROM a\n",
		"1-3 FROM {\\\n\nFROM a} args [a]"},
	{"a keyword across lines",
		"FR\\\nOM a\n",
		"1-2 FROM {FR\\\nOM a} args [a]"},
	{"CRLF",
		"FROM a\r\nRUN one \\\r\n  two\r\nCOPY <<E /f\r\nx\r\nE\r\n",
		"1-1 FROM {FROM a} args [a]\n2-3 RUN {RUN one \\\r\n  two} args [one \\\r\n  two]\n" +
			"4-6 COPY {COPY <<E /f\r\nx\r\nE} args [<<E] [/f] heredoc {<<E} E {x\r\n}"},
	{"flags on continuation lines",
		"FROM a\nRUN --mount=type=cache,target=/x \\\n    # a comment\n    --network=none make\n",
		"1-1 FROM {FROM a} args [a]\ncomment {# a comment} a comment\n" +
			"2-4 RUN {RUN --mount=type=cache,target=/x \\\n    # a comment\n    --network=none make} " +
			"flag {--mount=type=cache,target=/x} mount=type=cache,target=/x flag {--network=none} network=none args [make] inner 1"},
	{"quotes and escapes in flags, and the end of flags",
		"FROM a\nCOPY --chown=\"a b\" --chmod=7\\5'5' --link -- --x /y\n",
		"1-1 FROM {FROM a} args [a]\n" +
			"2-2 COPY {COPY --chown=\"a b\" --chmod=7\\5'5' --link -- --x /y} flag {--chown=\"a b\"} chown=a b flag {--chmod=7\\5'5'} chmod=755 flag {--link} link= args [--x] [/y]"},
	{"JSON forms",
		"FROM a\nRUN [\"a \\\" b\", \\\n  \"\\u0041,]\"]\nCOPY [\"x y\", \"/z\"]\nCMD []\nENTRYPOINT [\"a\", b]\n",
		"1-1 FROM {FROM a} args [a]\n2-3 RUN {RUN [\"a \\\" b\", \\\n  \"\\u0041,]\"]} json args [\"a \\\" b\"=a \" b] [\"\\u0041,]\"=A,]]\n" +
			"4-4 COPY {COPY [\"x y\", \"/z\"]} json args [\"x y\"=x y] [\"/z\"=/z]\n5-5 CMD {CMD []} json\n6-6 ENTRYPOINT {ENTRYPOINT [\"a\", b]} args [[\"a\", b]]"},
	{"HEALTHCHECK",
		"FROM a\nHEALTHCHECK --interval=5s CMD  curl -f x\nHEALTHCHECK CMD [\"curl\"]\nHEALTHCHECK NONE\n",
		"1-1 FROM {FROM a} args [a]\n2-2 HEALTHCHECK {HEALTHCHECK --interval=5s CMD  curl -f x} flag {--interval=5s} interval=5s args [CMD] [curl -f x]\n" +
			"3-3 HEALTHCHECK {HEALTHCHECK CMD [\"curl\"]} json args [CMD] [\"curl\"=curl]\n4-4 HEALTHCHECK {HEALTHCHECK NONE} args [NONE]"},
	{"ENV, LABEL and ARG",
		"FROM a\nENV A=1 \\\n  B=\"x y\" C=a\\ b\nENV D  e f\nLABEL \"k\"='v'\nARG X Y=\"1\"\n",
		"1-1 FROM {FROM a} args [a]\n2-3 ENV {ENV A=1 \\\n  B=\"x y\" C=a\\ b} args [A=1] [B=\"x y\"=B=x y] [C=a\\ b=C=a b]\n" +
			"4-4 ENV {ENV D  e f} args [D] [e f]\n5-5 LABEL {LABEL \"k\"='v'} args [\"k\"='v'=k=v]\n6-6 ARG {ARG X Y=\"1\"} args [X] [Y=\"1\"=Y=1]"},
	{"heredocs",
		"FROM a\nRUN <<-\"A\" cat 3<<B > f \\\n && true\n\tone\n\tA\n two\n\tB\nB\nRUN echo \"<<C\" && true\n",
		"1-1 FROM {FROM a} args [a]\n2-8 RUN {RUN <<-\"A\" cat 3<<B > f \\\n && true\n\tone\n\tA\n two\n\tB\nB} args [<<-\"A\" cat 3<<B > f \\\n && true] " +
			"heredoc {<<-\"A\"} -A quoted {\tone\n} heredoc {3<<B} B fd 3 { two\n\tB\n}\n9-9 RUN {RUN echo \"<<C\" && true} args [echo \"<<C\" && true]"},
	{"a heredoc with a blank in front of its name, and one that is empty",
		"FROM a\nCOPY << E <<F /\nF\nE\nF\n",
		"1-1 FROM {FROM a} args [a]\n2-5 COPY {COPY << E <<F /\nF\nE\nF} args [<<] [E] [<<F] [/] heredoc {<< E} E {F\n} heredoc {<<F} F {}"},
	{"a heredoc word behind the same in quotes",
		"FROM a\nRUN echo '<<E' <<E\n# no comment \\\nE\n",
		"1-1 FROM {FROM a} args [a]\n2-4 RUN {RUN echo '<<E' <<E\n# no comment \\\nE} args [echo '<<E' <<E] heredoc {<<E} E {# no comment \\\n}"},
	{"no heredoc in ENV or in JSON",
		"FROM a\nENV A=<<E\nCOPY [\"<<E\", \"/\"]\n",
		"1-1 FROM {FROM a} args [a]\n2-2 ENV {ENV A=<<E} args [A=<<E]\n3-3 COPY {COPY [\"<<E\", \"/\"]} json args [\"<<E\"=<<E] [\"/\"=/]"},
	{"ONBUILD",
		"FROM a\nONBUILD RUN --network=none <<E\nx\nE\nONBUILD copy [\"a\", \\\n \"b\"]\n",
		"1-1 FROM {FROM a} args [a]\n2-4 ONBUILD {ONBUILD RUN --network=none <<E\nx\nE} args [RUN --network=none <<E] heredoc {<<E} E {x\n}\n" +
			"  trigger 2-4 RUN {RUN --network=none <<E\nx\nE} flag {--network=none} network=none args [<<E] heredoc {<<E} E {x\n}\n" +
			"5-6 ONBUILD {ONBUILD copy [\"a\", \\\n \"b\"]} args [copy [\"a\", \\\n \"b\"]]\n" +
			"  trigger 5-6 COPY {copy [\"a\", \\\n \"b\"]} json args [\"a\"=a] [\"b\"=b]"},
	{"the other escape character",
		"# escape=`\nFROM a\nRUN dir c:\\ `\n  && ver\nCOPY a` b \\\n",
		"directive {# escape=`} escape ` \n2-2 FROM {FROM a} args [a]\n3-4 RUN {RUN dir c:\\ `\n  && ver} args [dir c:\\ `\n  && ver]\n5-5 COPY {COPY a` b \\} args [a`=a] [b] [\\]"},
	{"a check comment above an instruction",
		"FROM a\n# check=skip=JSONArgsRecommended\nCMD x\n",
		"1-1 FROM {FROM a} args [a]\ncomment {# check=skip=JSONArgsRecommended} check=skip=JSONArgsRecommended\n3-3 CMD {CMD x} args [x] lead 1"},
	{"a refused instruction leaves the rest",
		"RUN early\nFROM a AS 1x\nFRO b\nCOPY one\nRUN --nope true\nCMD x\n",
		"1-1 RUN {RUN early} args [early] refused\n2-2 FROM {FROM a AS 1x} args [a] [AS] [1x] refused\n3-3 FRO {FRO b} refused\n" +
			"4-4 COPY {COPY one} args [one] refused\n5-5 RUN {RUN --nope true} flag {--nope} nope= args [true] refused\n6-6 CMD {CMD x} args [x]"},
	{"an empty comment, and one with a blank in front",
		"# syntax=a\n# far\n#\n # near\n\nFROM a\n",
		"directive {# syntax=a} syntax a \ncomment {# far} far\ncomment {#} \ncomment {# near} near\n6-6 FROM {FROM a} args [a]"},
	{"an ONBUILD within an ONBUILD",
		"FROM a\nONBUILD ONBUILD RUN true\n",
		"1-1 FROM {FROM a} args [a]\n2-2 ONBUILD {ONBUILD ONBUILD RUN true} args [ONBUILD RUN true] refused\n  trigger 2-2 ONBUILD {ONBUILD RUN true} args [RUN true]"},
	{"comments that are not directly above",
		"# far\n\n# near\n  # nearer\nFROM a\n",
		"comment {# far} far\ncomment {# near} near\ncomment {# nearer} nearer\n5-5 FROM {FROM a} args [a] lead 2"},
	{"a letter with a byte that BuildKit takes for a blank",
		"FROM a\nCOPY --chown=\u00e0 x /\n",
		"1-1 FROM {FROM a} args [a]\n2-2 COPY {COPY --chown=\u00e0 x /} flag {--chown=\xc3} chown=\u00c3 args [x] [/]"},
}

func TestTraps(t *testing.T) {
	for _, c := range traps {
		t.Run(c.name, func(t *testing.T) {
			f, err := dockerfile.Parse("Dockerfile", []byte(c.src))
			if err != nil {
				t.Fatal(err)
			}
			if got := outline(f); got != strings.TrimSpace(c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			for _, complaint := range audit(f) {
				t.Error(complaint)
			}
		})
	}
}

// faults are files that can't be parsed at all, with the lines at fault.
var faults = []struct {
	name, src, message string
	line, end          int
}{
	{"nothing", "", "no instructions", 1, 1},
	{"comments alone", "# a\n\n", "no instructions", 2, 2},
	{"escape directive", "# syntax=a\n# escape=x\nFROM a\n", `sets "x"`, 2, 2},
	{"directive twice", "# syntax=a\n# syntax=b\nFROM a\n", "only one syntax", 2, 2},
	{"heredoc without end", "FROM a\nRUN <<EOF\nx\n", `heredoc "EOF" never ends`, 2, 3},
	{"JSON of numbers", "FROM a\n\nCMD \\\n [1]\n", "double quotes", 3, 4},
	{"null in JSON", "FROM a\nCMD [null]\n", "double quotes", 2, 2},
	{"ENV without value", "FROM a\nENV A\n", "NAME=VALUE", 2, 2},
	{"ENV with a stray word", "FROM a\nENV A=1 b\n", "quote a value", 2, 2},
	{"a line of 64 KiB", "FROM a\nRUN " + strings.Repeat("x", 1<<16) + "\n", "break it with", 2, 2},
}

func TestFaults(t *testing.T) {
	for _, c := range faults {
		t.Run(c.name, func(t *testing.T) {
			_, err := dockerfile.Parse("Dockerfile", []byte(c.src))
			var pe *dockerfile.ParseError
			if !errors.As(err, &pe) {
				t.Fatalf("got %v, want a ParseError", err)
			}
			if pe.Line != c.line || pe.EndLine != c.end || !strings.Contains(pe.Message, c.message) {
				t.Errorf("got lines %d to %d: %s; want %d to %d: … %s …", pe.Line, pe.EndLine, pe.Message, c.line, c.end, c.message)
			}
			if pe.Err == nil {
				t.Error("BuildKit's error is missing")
			}
		})
	}
}

// TestVerify holds that whatever a node has wrong is found, and where.
func TestVerify(t *testing.T) {
	for name, spoil := range map[string]func(*parser.Node){
		"keyword":   func(n *parser.Node) { n.Value = "run" },
		"line":      func(n *parser.Node) { n.Original += " " },
		"place":     func(n *parser.Node) { n.EndLine++ },
		"flag":      func(n *parser.Node) { n.Flags = nil },
		"form":      func(n *parser.Node) { n.Attributes = map[string]bool{"json": true} },
		"comment":   func(n *parser.Node) { n.PrevComment = nil },
		"heredoc":   func(n *parser.Node) { n.Heredocs[0].FileDescriptor = 3 },
		"argument":  func(n *parser.Node) { n.Next.Value = "cat" },
		"no more":   func(n *parser.Node) { n.Next = nil },
		"one more":  func(n *parser.Node) { n.Next.Next = &parser.Node{} },
		"a trigger": func(n *parser.Node) { n.Next.Children = []*parser.Node{{Value: "RUN"}} },
	} {
		t.Run(name, func(t *testing.T) {
			f, err := dockerfile.Parse("Dockerfile", []byte("FROM a\n# lead\nRUN --network=none cat <<E\nE\n"))
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Verify(); err != nil {
				t.Fatal(err)
			}
			spoil(f.Instructions[1].Node)
			var pe *dockerfile.ParseError
			if err := f.Verify(); !errors.As(err, &pe) || pe.Line != 3 || pe.EndLine != 4 {
				t.Errorf("got %v, want a ParseError for lines 3 to 4", err)
			}
		})
	}
}
