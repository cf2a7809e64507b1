package shell

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/edit"
)

// textOf is a script that stands at the start of its own source.
func textOf(src string) *edit.Text {
	t := &edit.Text{}
	t.Add([]byte(src), edit.Span{Start: 0, End: len(src)})
	return t
}

func parse(t *testing.T, src string, d Dialect) *Script {
	t.Helper()
	s := Parse(textOf(src), d)
	if s.Err != nil {
		t.Fatalf("Parse(%q): %v", src, s.Err)
	}
	return s
}

// show prints a command so that tests can compare it: wrappers in <>, values
// that aren't known in {}.
func show(c *Command) string {
	var b []string
	for _, w := range c.Wrappers {
		b = append(b, "<"+w.Raw+">")
	}
	word := func(w Word) string {
		if w.Literal {
			return w.Value
		}
		return "{" + w.Value + "}"
	}
	for _, a := range c.Assigns {
		b = append(b, a.Name+"="+word(a.Value))
	}
	for _, w := range c.Words {
		b = append(b, word(w))
	}
	for _, r := range c.Redirects {
		b = append(b, r.Op+word(r.Path))
	}
	if c.Conditional {
		b = append(b, "?")
	}
	if c.Piped {
		b = append(b, "|")
	}
	return strings.Join(b, " ")
}

func commandsOf(s *Script) []string {
	var list []string
	for _, c := range s.Commands() {
		list = append(list, show(c))
	}
	return list
}

func TestCommands(t *testing.T) {
	tests := []struct {
		name, src string
		dialect   Dialect
		want      []string
	}{
		{"list", "a 1 && b 2 || c; d", POSIX, []string{"a 1", "b 2", "c ?", "d"}},
		{"list after or", "a || b && c", POSIX, []string{"a", "b ?", "c"}},
		{"test", "[ -f x ] && a", POSIX, []string{"[ -f x ]", "a ?"}},
		{"bash test", "[[ -f x ]] && a", Bash, []string{"a ?"}},
		{"test further left", "[ -f x ] && a && b", POSIX, []string{"[ -f x ]", "a ?", "b ?"}},
		{"test with a way out", "[ -f x ] || a && b", POSIX, []string{"[ -f x ]", "a ?", "b"}},
		{"negated", "! a && b", POSIX, []string{"a", "b ?"}},
		{"if", "if a; then b; elif c; then d; else e; fi", POSIX, []string{"a", "b ?", "c ?", "d ?", "e ?"}},
		{"while", "while a; do b; done", POSIX, []string{"a", "b ?"}},
		{"for", "for i in $(a); do b $i; done", POSIX, []string{"a", "b {$i} ?"}},
		{"case", "case $(a) in x) b;; esac", POSIX, []string{"a", "b ?"}},
		{"function", "f() { a; }; f", POSIX, []string{"a ?", "f"}},
		{"subshell", "(cd /x && a)", POSIX, []string{"cd /x", "a"}},
		{"pipe", "a | b && c", POSIX, []string{"a |", "b |", "c"}},
		{"background", "a & b", POSIX, []string{"a", "b"}},
		{"substitution", `a "$(b $(c))" d`, POSIX, []string{"a {$(b $(c))} d", "b {$(c)}", "c"}},
		{"substitution in a heredoc", "a <<E\n$(b)\nE", POSIX, []string{"a <<E", "b"}},
		{"process substitution", "a <(b)", Bash, []string{"a {<(b)}", "b"}},
		{"redirects", "a > f 2>&1 <g", POSIX, []string{"a >f >&1 <g"}},
		{"redirect of a compound", "{ a; b >g; } >f", POSIX, []string{"a >f", "b >g >f"}},
		{"assigns", "A=1 B=$x a; C=2", POSIX, []string{"A=1 B={$x} a", "C=2"}},
		{"export in bash", `export A="b c" D E=$F`, Bash, []string{"export A=b c D {E=$F}"}},
		{"export in POSIX", `export A="b c" D E=$F`, POSIX, []string{"export A=b c D {E=$F}"}},
		{"array", "a=(b c); d", Bash, []string{"a={a=(b c)}", "d"}},
		{"quotes", `'a b' "c\"d\e" f\ g\$`, POSIX, []string{`a b c"d\e f g$`}},
		{"empty words", `a "" ''`, POSIX, []string{"a  "}},
		{"patterns", `a * \* '?' b[12] [ ~/x x~ --p=~/y`, POSIX, []string{`a {*} * ? {b[12]} [ {~/x} x~ {--p=~/y}`}},
		{"braces", `a {b,c} {1..3} {} x{y}z {b\,c}`, Bash, []string{`a {{b,c}} {{1..3}} {} x{y}z {b,c}`}},
		{"dollar quotes", `a $'b\n'`, Bash, []string{`a {$'b\n'}`}},
		{"continuation inside a script", "a b\\\nc \"d\\\ne\" 'f\\\ng'", POSIX, []string{"a bc de f\\\ng"}},
		{"bash in POSIX", "a <(b) && [[ x == y ]]", POSIX, []string{"a {<(b)}", "b"}},
		{"time in bash", "time a", Bash, []string{"a"}},
		{"comments", "a # x\n# y\nb", POSIX, []string{"a", "b"}},
		{"empty", "", POSIX, nil},
		{"backquotes", "a `b c`", POSIX, []string{"a {`b c`}", "b c"}},
		{"escapes in backquotes", "a `b \\\\c`", POSIX, []string{"a {`b \\\\c`}", "b c"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := commandsOf(parse(t, tt.src, tt.dialect)); !slices.Equal(got, tt.want) {
				t.Errorf("commands of %q:\n got %q\nwant %q", tt.src, got, tt.want)
			}
		})
	}
}

func TestWrappers(t *testing.T) {
	tests := []struct{ src, want string }{
		{"sudo apt-get update", "<sudo> apt-get update"},
		{"sudo -E -u root -- A=b apt-get update", "<sudo -E -u root -- A=b> A=b apt-get update"},
		{"sudo -uroot a", "<sudo -uroot> a"},
		{"sudo -l", "sudo -l"},
		{"env", "env"},
		{"env A=b C=$d a e=f", "<env A=b C=$d> A=b C={$d} a e=f"},
		{`env "A=b c" a`, `<env "A=b c"> A=b c a`},
		{"env -i -u X A=b a", "<env -i -u X A=b> A=b a"},
		{"env -S 'a b'", "env -S a b"},
		{"A=1 env B=2 a", "<env B=2> A=1 B=2 a"},
		{"exec a b", "<exec> a b"},
		{"exec -a x a b", "<exec -a x> a b"},
		{"exec >f", "exec >f"},
		{"command -v a", "command -v a"},
		{"command -p a", "<command -p> a"},
		{"time -p a", "<time -p> a"},
		{"nice -n 5 ionice -c2 a", "<nice -n 5> <ionice -c2> a"},
		{"nice -5 a", "<nice -5> a"},
		{"timeout -k 9 --signal=INT 5m a b", "<timeout -k 9 --signal=INT 5m> a b"},
		{"timeout $T a", "<timeout $T> a"},
		{"timeout 5", "timeout 5"},
		{"nohup a", "<nohup> a"},
		{"/usr/bin/sudo /usr/bin/apt-get update", "</usr/bin/sudo> /usr/bin/apt-get update"},
		{"gosu node npm ci", "<gosu node> npm ci"},
		{"env $X a", "<env> {$X} a"},
		{"sh -c 'a b'", "<sh -c> a b"},
		{"sh -c a b c", "<sh -c> a"},
		{`bash -euxo pipefail -c "a 'b c' \"d\""`, `<bash -euxo pipefail -c> a b c d`},
		{"sh -c 'a && b || c'", "<sh -c> a; <sh -c> b; <sh -c> c ?"},
		{"sh -c 'a' >f", "<sh -c> a >f"},
		{"x || sh -c 'a'", "x; <sh -c> a ?"},
		{"sudo sh -c 'env A=b a'", "<sudo> <sh -c> <env A=b> A=b a"},
		{`sh -c "a $X"`, "sh -c {a $X}"},
		{"sh -c 'a ('", "sh -c a ("},
		{"sudo sh -c 'a ('", "<sudo> sh -c a ("},
		{"sh -nc 'a'", "sh -nc a"},
		{"sh script.sh -c a", "sh script.sh -c a"},
		{"sh -e script.sh", "sh -e script.sh"},
		{"su - node -c 'npm ci'", "<su - node -c> npm ci"},
		{"su node", "su node"},
		{`sh -c 'sh -c "a b"'`, "<sh -c> <sh -c> a b"},
	}
	for _, tt := range tests {
		if got := strings.Join(commandsOf(parse(t, tt.src, POSIX)), "; "); got != tt.want {
			t.Errorf("commands of %q:\n got %s\nwant %s", tt.src, got, tt.want)
		}
	}
}

func TestName(t *testing.T) {
	for src, want := range map[string]string{
		"/usr/bin/apt-get install x": "apt-get", "'npm' ci": "npm", "$X y": "", "A=b": "", "~/x": "", "./gradlew": "gradlew",
	} {
		c := parse(t, src, POSIX).Commands()[0]
		if got := c.Name(); got != want {
			t.Errorf("name of %q is %q, want %q", src, got, want)
		}
	}
	c := parse(t, "a b $c", POSIX).Commands()[0]
	if v, ok := c.Arg(0); v != "b" || !ok {
		t.Errorf("Arg(0) = %q, %v", v, ok)
	}
	for _, i := range []int{-1, 1, 2} {
		if v, ok := c.Arg(i); ok {
			t.Errorf("Arg(%d) = %q is known", i, v)
		}
	}
	if c.Known() || !parse(t, "a b", POSIX).Commands()[0].Known() {
		t.Error("Known is wrong")
	}
}

func TestStatements(t *testing.T) {
	tests := []struct {
		src  string
		want []string // joiner, separator, text, and ! where plain
	}{
		{"a && b||c ; d & e\nf", []string{`"" "" a!`, `"&&" " && " b!`, `"||" "||" c!`, `";" " ; " d`, `"&" " & " e!`, `"\n" "\n" f!`}},
		{"a | b; c >f; ! d; (e); A=b; sh -c 'a'; sh -c 'a; b'; a $(b)", []string{
			`"" "" a | b`, `";" "; " c >f`, `";" "; " ! d`, `";" "; " (e)`, `";" "; " A=b!`, `";" "; " sh -c 'a'!`, `";" "; " sh -c 'a; b'`, `";" "; " a $(b)`}},
		{"a && b &\nc", []string{`"" "" a && b`, `"&" " &\n" c!`}},
		{"a \\\n && b", []string{`"" "" a!`, `"&&" " \\\n && " b!`}},
		{"a; # x\nb", []string{`"" "" a!`, `";" "; # x\n" b!`}},
		{"a <<E && b\nx\nE\nc && d", []string{`"" "" a <<E`, `"&&" " && " b`, `"\n" "\nx\nE\n" c`, `"&&" " && " d!`}},
		{"  a  ", []string{`"" "" a!`}},
		{"if a; then b; fi && c", []string{`"" "" if a; then b; fi`, `"&&" " && " c!`}},
	}
	for _, tt := range tests {
		var got []string
		for _, st := range parse(t, tt.src, POSIX).Statements {
			plain := ""
			if st.Plain {
				plain = "!"
			}
			got = append(got, fmt.Sprintf("%q %q %s%s", st.Joiner, st.Separator.Of([]byte(tt.src)), st.Span.Of([]byte(tt.src)), plain))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("statements of %q:\n got %q\nwant %q", tt.src, got, tt.want)
		}
	}
}

func TestForeignAndBroken(t *testing.T) {
	s := Parse(textOf("Get-Item | Where {"), Foreign)
	if s.Err != nil || s.Syntax != nil || len(s.Statements) != 0 {
		t.Errorf("a foreign script was parsed: %+v", s)
	}
	s = Parse(textOf("a && ("), POSIX)
	if s.Err == nil || !strings.Contains(s.Err.Error(), "POSIX shell") || len(s.Statements) != 0 {
		t.Errorf("Err = %v, %d statements", s.Err, len(s.Statements))
	}
}

// TestPlaces holds that words lead back to the Dockerfile over continuations
// that BuildKit takes out, and into the script of sh -c.
func TestPlaces(t *testing.T) {
	src := []byte("RUN apt-get \\\n    # why\n    install a\\\nb && sh -c \"echo \\\"x\\\" y\"\n")
	text := &edit.Text{}
	for _, part := range []string{"apt-get ", "    install a", "b && sh -c \"echo \\\"x\\\" y\""} {
		at := strings.Index(string(src), part)
		text.Add(src, edit.Span{Start: at, End: at + len(part)})
	}
	s := Parse(text, POSIX)
	if s.Err != nil {
		t.Fatal(s.Err)
	}
	var got []string
	for _, c := range s.Commands() {
		for _, w := range c.Words {
			got = append(got, fmt.Sprintf("%s %q", w.Value, w.Span.Of(src)))
		}
	}
	want := []string{`apt-get "apt-get"`, `install "install"`, `ab "a\\\nb"`, `echo "echo"`, `x "\"x\\\""`, `y "y"`}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if sep := s.Statements[1].Separator.Of(src); sep != " && " {
		t.Errorf("separator is %q", sep)
	}
}
