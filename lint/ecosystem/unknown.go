package ecosystem

import (
	"slices"
	"strings"
	"sync"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// Perhaps is the word of a command that only the running step knows, where with
// another word in its place the command installs something: "$INSTALLER" of
// "$INSTALLER install x", "$VERB" of "npm $VERB". It is "" for any other command.
func Perhaps(c *shell.Command) string {
	if inner, _ := started(c); inner != nil {
		c = inner
	}
	if len(c.Words) == 0 || !slices.ContainsFunc(c.Words, expands) {
		return ""
	}
	if program := c.Words[0]; expands(program) {
		if anyProgram(c) {
			return program.Raw
		}
		return ""
	}
	return unknownVerb(c)
}

// expands reports that what a word is depends on a variable or on another command.
func expands(w shell.Word) bool { return !w.Literal && strings.ContainsAny(w.Raw, "$`") }

// anyProgram reports that a command installs something, or may, by a program of the
// tools' examples. One that installs whatever its words are counts where they are in an
// example of it.
func anyProgram(c *shell.Command) bool {
	rest := c.Words[1:]
	if len(rest) > 0 && !slices.ContainsFunc(rest, func(w shell.Word) bool { return !strings.HasPrefix(w.Value, "-") }) {
		return false // "$PYTHON --version"
	}
	for _, t := range known {
		examples := exampleWords()[t]
		likely := slices.ContainsFunc(rest, func(w shell.Word) bool {
			return slices.ContainsFunc(examples, func(e shell.Word) bool { return e.Value == w.Value })
		})
		for _, program := range examples {
			whatever := installs(with(c, []shell.Word{program, {Value: "?", Literal: true}}), t)
			if whatever && !likely {
				continue
			}
			named := with(c, slices.Concat([]shell.Word{program}, rest))
			if installs(named, t) || unknownVerb(named) != "" {
				return true
			}
		}
	}
	return false
}

// unknownVerb is the word in the place of which another one, of an example of the tool,
// would make an installation of a tool's command; "" where there is none.
func unknownVerb(c *shell.Command) string {
	u := match(c, known[:])
	if u == nil || u.Kind != 0 {
		return ""
	}
	for i, w := range c.Words {
		if !expands(w) {
			continue
		}
		words := slices.Clone(c.Words)
		for _, words[i] = range exampleWords()[u.Tool] {
			if installs(with(c, words), u.Tool) {
				return w.Raw
			}
		}
	}
	return ""
}

// installs reports that a command is an installation by a tool.
func installs(c *shell.Command, t *Tool) bool {
	u := match(c, []*Tool{t})
	return u != nil && u.Kind&(Fetch|Build|Offline) != 0
}

// exampleWords are the programs and the verbs of each tool's examples.
var exampleWords = sync.OnceValue(func() map[*Tool][]shell.Word {
	all := map[*Tool][]shell.Word{}
	for _, t := range known {
		for _, command := range t.Example.Commands {
			for _, text := range strings.Fields(command) {
				w := shell.Word{Raw: text, Value: text, Literal: true}
				if !slices.Contains(all[t], w) && !strings.HasPrefix(text, "-") {
					all[t] = append(all[t], w)
				}
			}
		}
	}
	return all
})
