package rules

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// ran is a command of a RUN in shell form.
type ran struct {
	*shell.Command
	in     *dockerfile.Instruction
	script *shell.Script
}

// commands are all commands of the RUNs in shell form whose script is
// understood, in order.
func commands(p *lint.Pass) []ran {
	return lint.Once(p, func(p *lint.Pass) []ran {
		var all []ran
		for _, st := range p.File.Stages {
			runs, _ := runScripts(st)
			for _, r := range runs {
				for _, c := range r.script.Commands() {
					all = append(all, ran{c, r.in, r.script})
				}
			}
		}
		return all
	})
}

// use is what a command asks of a known tool, or nil: found once for all rules.
func use(p *lint.Pass, c *shell.Command) *ecosystem.Use {
	known := lint.Once(p, func(*lint.Pass) map[*shell.Command]*ecosystem.Use { return map[*shell.Command]*ecosystem.Use{} })
	u, ok := known[c]
	if !ok {
		u = ecosystem.Find(c)
		known[c] = u
	}
	return u
}

// install is a command of a package manager, and what is asked of it.
type install struct {
	ran
	use *ecosystem.Use
	ecosystem.Habits
}

// installs are the commands of package managers.
func installs(p *lint.Pass) []install {
	return lint.Once(p, func(p *lint.Pass) []install {
		var all []install
		for _, c := range commands(p) {
			if u := use(p, c.Command); u != nil {
				all = append(all, install{c, u, u.HabitsOf()})
			}
		}
		return all
	})
}

// addFlag puts a flag behind the command's verb; nil where that isn't written
// out.
func (u install) addFlag(flag string) []edit.Edit {
	verb, ok := u.use.Verb()
	if !ok || verb.Raw != verb.Value {
		return nil
	}
	return []edit.Edit{{Span: edit.Span{Start: verb.Span.End, End: verb.Span.End}, New: " " + flag}}
}

// code is another linter's name for a finding: alias, or where there is none the
// rule's own name.
func code(alias, rule string) string {
	if alias == "" {
		return rule
	}
	return alias
}

// inFinal reports that the instruction's layers are those of the final image.
func inFinal(p *lint.Pass, in *dockerfile.Instruction) bool {
	final := p.File.Final(p.Facts.Target)
	return final != nil && slices.Contains(final.Lineage(), in.Stage)
}

// asHadolint reports that the user wants what other linters say, also where it
// does no good.
func asHadolint(p *lint.Pass) bool { return p.Config().Profile >= lint.All }

// has reports that the command has one of the flags, alone or joined to a value.
func (c ran) has(flags ...string) bool {
	return slices.ContainsFunc(c.Args(), func(w shell.Word) bool {
		name, _, _ := strings.Cut(w.Value, "=")
		return slices.Contains(flags, name)
	})
}

// removes reports that the script deletes dir, or all in it.
func removes(s *shell.Script, dir string) bool {
	return slices.ContainsFunc(s.Commands(), func(c *shell.Command) bool {
		return (c.Name() == "rm" || c.Name() == "find") && slices.ContainsFunc(c.Args(), func(w shell.Word) bool {
			name := path.Clean(strings.TrimSuffix(w.Value, "*"))
			return path.IsAbs(name) && name != "/" && (within(name, dir) || within(dir, name))
		})
	})
}

// inContext reports that the build context is known and holds the file.
func inContext(p *lint.Pass, name string) bool {
	if p.Facts.Files == nil || !fs.ValidPath(name) {
		return false
	}
	_, err := fs.Stat(p.Facts.Files, name)
	return err == nil
}
