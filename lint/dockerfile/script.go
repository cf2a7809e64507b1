package dockerfile

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// Script returns the shell script of a RUN instruction in its stage's SHELL, or
// nil when in is no RUN in shell form. It holds what BuildKit gives to the
// shell: for "RUN <<EOF" the heredoc's content, whose "#!" line, if it has one,
// decides the dialect; otherwise the command line with its heredocs behind it.
// It may be called from several goroutines; the result is shared.
func (f *File) Script(in *Instruction) *shell.Script {
	if in.Name != "RUN" || in.JSON || len(in.Args) == 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.scripts[in]; ok {
		return s
	}
	text, dialect := f.scriptText(in)
	s := shell.Parse(text, dialect)
	f.scripts[in] = s
	return s
}

// scriptText puts together what the shell gets.
func (f *File) scriptText(in *Instruction) (*edit.Text, shell.Dialect) {
	dialect := f.dialect(in)
	if len(in.Heredocs) == 0 {
		return in.Body, dialect
	}
	text := &edit.Text{}
	if doc, err := parser.ParseHeredoc(in.Args[0].Raw); err == nil && doc != nil {
		f.addBody(text, in.Heredocs[0])
		if d, ok := shebang(text.String()); ok && !f.Windows(in.Stage) {
			dialect = d
		}
		return text, dialect
	}
	// The shell reads its own heredocs, from the newline in front of each.
	text.Append(in.Body)
	for _, h := range in.Heredocs {
		text.Add(f.Src, edit.Span{Start: h.Body.Start - 1, End: h.Body.End})
		text.Add(f.Src, h.Terminator)
	}
	return text, dialect
}

// addBody appends a heredoc's content, for <<- without leading tabs.
func (f *File) addBody(text *edit.Text, h Heredoc) {
	if !h.Chomp {
		text.Add(f.Src, h.Body)
		return
	}
	at := h.Body.Start
	for line := range strings.Lines(h.Content) {
		tabs := len(line) - len(strings.TrimLeft(line, "\t"))
		text.Add(f.Src, edit.Span{Start: at + tabs, End: at + len(line)})
		at += len(line)
	}
}

// shebang reads the interpreter from a "#!" line.
func shebang(script string) (shell.Dialect, bool) {
	line, ok := strings.CutPrefix(script, "#!")
	if !ok {
		return 0, false
	}
	line, _, _ = strings.Cut(line, "\n")
	words := strings.Fields(line)
	for i, w := range words {
		// env takes options and assignments in front of the interpreter.
		if i == 0 && path.Base(w) == "env" || i > 0 && (strings.HasPrefix(w, "-") || strings.Contains(w, "=")) {
			continue
		}
		return dialectOf(w), true
	}
	return shell.Foreign, true
}

// dialectOf is the language of an interpreter.
func dialectOf(interpreter string) shell.Dialect {
	switch path.Base(interpreter) {
	case "sh", "dash", "ash":
		return shell.POSIX
	case "bash":
		return shell.Bash
	}
	return shell.Foreign
}

// dialect is the language of the SHELL in force at in.
func (f *File) dialect(in *Instruction) shell.Dialect {
	argv, ok := in.shell()
	if !ok {
		if f.Windows(in.Stage) {
			return shell.Foreign
		}
		return shell.POSIX
	}
	// Wrappers may stand in front: "conda run -n env /bin/bash -c".
	for i, arg := range slices.Backward(argv) {
		if d := dialectOf(arg); d != shell.Foreign {
			if slices.ContainsFunc(argv[i+1:], takesCommand) {
				return d
			}
			return shell.Foreign
		}
	}
	return shell.Foreign
}

// takesCommand reports whether an option of a shell holds -c.
func takesCommand(option string) bool {
	return strings.HasPrefix(option, "-") && !strings.HasPrefix(option, "--") && strings.Contains(option, "c")
}

// shell is the last SHELL in front of in, in its stage or in the stages below;
// not ok where there is none and the base image's counts.
func (in *Instruction) shell() ([]string, bool) {
	for st := in.Stage; st != nil; st = st.Parent {
		for _, i := range slices.Backward(st.Instructions) {
			if st == in.Stage && i.Span.Start > in.Span.Start {
				continue
			}
			if argv, ok := shellComment(i); ok {
				return argv, true
			}
			if i == in {
				continue
			}
			if c, ok := i.Command.(*instructions.ShellCommand); ok {
				return c.Shell, true
			}
		}
	}
	return nil, false
}

// shellComment reads "# hadolint shell=/bin/bash" above an instruction, which
// says what the base image's own shell is.
func shellComment(in *Instruction) ([]string, bool) {
	for _, c := range slices.Backward(in.Lead) {
		if rest, ok := strings.CutPrefix(c.Text, "hadolint"); ok {
			if name, ok := strings.CutPrefix(strings.TrimSpace(rest), "shell="); ok {
				return []string{strings.TrimSpace(name), "-c"}, true
			}
		}
	}
	return nil, false
}

// Windows reports whether a stage runs on Windows, going by the name of its
// base image; where that isn't known, by an escape directive, which files for
// Windows have.
func (f *File) Windows(st *Stage) bool {
	if st == nil {
		return false
	}
	line := st.Lineage()
	ref, ok := f.BaseRef(line[len(line)-1], nil)
	if !ok {
		return f.Escape == '`'
	}
	ref = strings.ToLower(ref)
	for _, name := range []string{"mcr.microsoft.com/windows", "nanoserver", "windowsservercore"} {
		if strings.Contains(ref, name) {
			return true
		}
	}
	return false
}
