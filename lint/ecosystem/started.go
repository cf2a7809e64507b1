package ecosystem

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// ofVariable is a path below a folder that a variable or a tilde names, to a program
// in a folder of programs: "$HOME/.local/bin/poetry".
var ofVariable = regexp.MustCompile(`^(~|\$\w+|\$\{\w+\})(/[\w.@+-]+)*/(bin|sbin|shims)/([\w.@+-]+)$`)

// installed is the command with its program's name where it is called by a path that
// leads to an installation: a folder of programs, or the root. It is not ok for a
// program that may be one of the project's: "./npm", "bin/yarn".
func installed(c *shell.Command) (named *shell.Command, ok bool) {
	if len(c.Words) == 0 {
		return c, true
	}
	first := c.Words[0]
	if !first.Literal {
		m := ofVariable.FindStringSubmatch(first.Value)
		if m == nil {
			return c, true
		}
		first.Value, first.Literal = "/"+m[3]+"/"+m[4], true
		return with(c, slices.Concat([]shell.Word{first}, c.Words[1:])), true
	}
	dir := path.Dir(path.Clean(first.Value))
	return c, !strings.Contains(first.Value, "/") || dir == "/" ||
		dir != "bin" && slices.Contains([]string{"bin", "sbin", "shims", ".bin"}, path.Base(dir))
}

// with is the command with other words.
func with(c *shell.Command, words []shell.Word) *shell.Command {
	other := *c
	other.Words = words
	return &other
}

// started is the command that a program starts which isn't one of the shell's
// wrappers, for it adds words, or changes more than the environment's variables;
// through names that program. Nil where it starts none that is written out.
func started(c *shell.Command) (inner *shell.Command, through string) {
	at, name := 0, c.Name()
	switch args := c.Args(); name {
	case "poetry", "pipenv", "pdm", "hatch", "rye": // python-poetry.org, "run"; the others' of the same name
		if verb, _ := c.Arg(0); verb == "run" {
			at = 2
		}
	case "conda", "mamba", "micromamba": // conda run --help
		if verb, _ := c.Arg(0); verb == "run" {
			at = 1 + behindOptions(args[1:], "-n", "--name", "-p", "--prefix", "--cwd")
		}
	case "xargs": // xargs(1)
		at = behindOptions(args, "-a", "--arg-file", "-d", "--delimiter", "-E", "-I", "-L", "--max-lines", "-n", "--max-args", "-P", "--max-procs", "-s", "--max-chars", "--process-slot-var")
	case "eval":
		at = 1
	case "find": // find(1); it ends at the ";" or "+", which are no words of a package's
		at = 2 + slices.IndexFunc(args, func(w shell.Word) bool { return w.Value == "-exec" || w.Value == "-execdir" })
		if at < 2 {
			return nil, ""
		}
	case "xx-apt", "xx-apt-get", "xx-apk", "xx-go", "xx-cargo": // github.com/tonistiigi/xx
		if len(args) == 0 || strings.HasPrefix(args[0].Value, "--wrap") || args[0].Value == "setup" || args[0].Value == "clean" {
			return nil, ""
		}
		words := slices.Clone(c.Words)
		words[0].Value = strings.TrimPrefix(name, "xx-")
		return with(c, words), name
	}
	if at == 0 || at >= len(c.Words) {
		return nil, ""
	}
	switch name {
	case "xargs", "eval":
	case "find":
		name = "find -exec"
	default:
		name += " run"
	}
	return with(c, c.Words[at:]), name
}

// behindOptions is the index, in the words of a command whose arguments these are, of
// the first one that is neither an option nor the value of one of valued.
func behindOptions(args []shell.Word, valued ...string) int {
	for i := 0; i < len(args); i++ {
		switch v := args[i].Value; {
		case !strings.HasPrefix(v, "-"):
			return i + 1
		case v == "--":
			return i + 2
		case slices.Contains(valued, v):
			i++
		}
	}
	return len(args) + 1
}

// moduleWords are the words of "python3 -I -m NAME …" from the name on; nil for
// another command (python(1)).
func moduleWords(c *shell.Command, module string) []shell.Word {
	if !pythonName.MatchString(c.Name()) {
		return nil
	}
	for i := 1; i < len(c.Words); i++ {
		switch v := c.Words[i].Value; {
		case v == "-m" && i+1 < len(c.Words) && c.Words[i+1].Literal && c.Words[i+1].Value == module:
			return c.Words[i+1:]
		case v == "-W" || v == "-X": // these take a word
			i++
		case !c.Words[i].Literal || !strings.HasPrefix(v, "-") || strings.HasPrefix(v, "-m") || strings.HasPrefix(v, "-c"):
			return nil
		}
	}
	return nil
}
