package makefile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Unknown stands in a script for a value that isn't known: an expansion, so
// that no reader takes it for a word.
const Unknown = "${MAKE_VALUE}"

// maxScript bounds a script, in bytes, and what one expansion may grow to.
const maxScript = 1 << 18

// Vars tells a variable of the environment. Known is false where it may or may
// not be set.
type Vars func(name string) (value string, set, known bool)

// Script is what `make GOALS` runs, for the POSIX shell: what $(shell …) runs
// and what recipes get as their environment first, then each line of each
// recipe, in a subshell as make runs it. Set are the variables of make's
// command line, env is its environment. Without goals it makes the first
// target.
func (f *File) Script(goals []string, set map[string]string, env Vars) (string, error) {
	e := &expander{file: f, set: set, env: env}
	w := &walk{expander: e, seen: map[string]bool{}}
	for _, name := range slices.Sorted(keys(f.vars)) {
		for _, c := range f.vars[name].commands {
			if err := w.run(c, nil); err != nil {
				return "", err
			}
		}
	}
	if err := w.environment(); err != nil {
		return "", err
	}
	for _, self := range []string{"GNUmakefile", "makefile", "Makefile"} {
		if w.makes(self) {
			return "", fmt.Errorf("it makes %s anew", self)
		}
	}
	if len(goals) == 0 {
		goal, err := w.first()
		if err != nil {
			return "", err
		}
		goals = []string{goal}
	}
	for _, goal := range goals {
		if err := w.make(goal); err != nil {
			return "", err
		}
	}
	return w.script.String(), nil
}

func keys(vars map[string]*variable) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range vars {
			if !yield(name) {
				return
			}
		}
	}
}

// walk writes the script.
type walk struct {
	*expander
	script strings.Builder
	seen   map[string]bool // targets
}

// environment writes what recipes get: variables that are exported, those of
// the command line, and those that the environment has, too.
func (w *walk) environment() error {
	names := map[string]bool{}
	for name := range w.file.vars {
		_, set, known := w.env(name)
		if w.file.all || w.file.export[name] || set || !known {
			names[name] = true
		}
	}
	for name := range w.set {
		names[name] = true
	}
	list := make([]string, 0, len(names))
	for name := range names {
		list = append(list, name)
	}
	slices.Sort(list)
	for _, name := range list {
		value, err := w.value(name, nil, 0)
		if err != nil {
			return err
		}
		quoted := "'" + value + "'"
		if strings.ContainsAny(value, "'$") {
			quoted = `"` + Unknown + `"`
		}
		fmt.Fprintf(&w.script, "export %s=%s\n", name, quoted)
	}
	return nil
}

// first is the default goal.
func (w *walk) first() (string, error) {
	for _, r := range w.file.rules {
		targets, err := w.words(r.targets, nil)
		if err != nil {
			return "", err
		}
		for _, t := range targets {
			if !strings.Contains(t, "%") && (!strings.HasPrefix(t, ".") || strings.Contains(t, "/")) {
				return t, nil
			}
		}
	}
	return "", errors.New("there is no target")
}

// make writes what making a target runs: first for what it needs, then its
// recipe. A target without a rule is a file, or made of one by a built-in rule.
func (w *walk) make(target string) error {
	if w.seen[target] {
		return nil
	}
	w.seen[target] = true
	matched := false
	for _, pattern := range []bool{false, true} {
		if pattern && matched {
			break
		}
		for _, r := range w.file.rules {
			targets, err := w.words(r.targets, nil)
			if err != nil {
				return err
			}
			stem, ok := match(targets, target, pattern)
			if !ok {
				continue
			}
			matched = matched || len(r.recipe) > 0
			if err := w.rule(r, target, stem); err != nil {
				return err
			}
		}
	}
	if w.script.Len() > maxScript {
		return errors.New("it runs too much to be followed")
	}
	return nil
}

// makes reports that a rule may make a target.
func (w *walk) makes(target string) bool {
	for _, r := range w.file.rules {
		targets, err := w.words(r.targets, nil)
		if err != nil {
			return true
		}
		for _, pattern := range []bool{false, true} {
			if _, ok := match(targets, target, pattern); ok {
				return true
			}
		}
	}
	return false
}

// match finds target among a rule's targets, or what % stands for in it.
func match(targets []string, target string, pattern bool) (stem string, ok bool) {
	for _, t := range targets {
		before, after, isPattern := strings.Cut(t, "%")
		switch {
		case isPattern != pattern:
		case !isPattern && t == target:
			return "", true
		case isPattern && len(target) > len(before)+len(after) && strings.HasPrefix(target, before) && strings.HasSuffix(target, after):
			return target[len(before) : len(target)-len(after)], true
		}
	}
	return "", false
}

func (w *walk) rule(r *rule, target, stem string) error {
	needs, err := w.words(r.needs, nil)
	if err != nil {
		return err
	}
	auto := map[string]string{"@": target}
	for i, need := range needs {
		if need == "|" {
			continue
		}
		need = strings.Replace(need, "%", stem, 1)
		if i == 0 {
			auto["<"] = need
		}
		if err := w.make(need); err != nil {
			return err
		}
	}
	for _, line := range r.recipe {
		if err := w.run(strings.TrimLeft(line, "@-+ \t"), auto); err != nil {
			return err
		}
	}
	return nil
}

// run writes one line of a recipe.
func (w *walk) run(line string, auto map[string]string) error {
	commands, err := shellCalls(line)
	if err != nil {
		return err
	}
	for _, c := range commands {
		if err := w.run(c, auto); err != nil {
			return err
		}
	}
	text, err := w.expand(line, auto, 0)
	if err != nil {
		return err
	}
	if text = strings.TrimLeft(text, "@-+ \t"); text != "" {
		fmt.Fprintf(&w.script, "(\n%s\n)\n", text)
	}
	return nil
}

// words are the words of an expanded list. One that isn't known can't be
// followed: it may name any target.
func (w *walk) words(text string, auto map[string]string) ([]string, error) {
	value, err := w.expand(text, auto, 0)
	if err != nil {
		return nil, err
	}
	if strings.Contains(value, Unknown) {
		return nil, fmt.Errorf("what %q stands for is not known", strings.TrimSpace(text))
	}
	return strings.Fields(value), nil
}
