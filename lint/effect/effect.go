// Package effect says what instructions and commands do, as far as their words
// tell: [Of] gives an instruction's read set, write set, environment and
// network, [Commutes] says whether two of them may change places, and [On] what
// commands do to one place of the file system.
//
// A command that isn't known reads and writes everything. Of the system's
// package managers it is known that they and the scripts of their packages keep
// to the system's own folders; of the standard tools, that they touch what they
// are given. [Commutes] is the only way by which anything is moved.
//
// On is more trusting: of a program that it doesn't know it sees only which
// paths the program is given.
package effect

import (
	"iter"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// Touch is what a command does to a place.
type Touch int

const (
	Nothing Touch = iota
	Uses          // reads or changes it, or what lies in it
	Unknown       // may remove it: a path isn't known
	Empties       // removes what lies in it
	Removes       // removes it, or a folder above it
)

// Act is a command that touches a place.
type Act struct {
	Touch   Touch
	Command *shell.Command
	// Forced reports that a removal doesn't mind if nothing is there.
	Forced bool
}

// Scene is what is known of the surroundings of commands.
type Scene struct {
	Home    string            // "" when it isn't known
	Workdir string            // "" when it isn't known
	Vars    map[string]string // variables with a known value
}

// On returns the commands that touch the place, an absolute and clean path, in
// order.
func On(commands []*shell.Command, scene Scene, place string) []Act {
	s := newStudy(commands, scene, place)
	var acts []Act
	for _, c := range commands {
		if t := s.command(c); t != Nothing {
			acts = append(acts, Act{t, c, has(c, "f", "--force")})
		}
	}
	return acts
}

// command is the strongest touch of a command's words and redirections.
func (s *study) command(c *shell.Command) Touch {
	t := Nothing
	for _, r := range c.Redirects {
		if at := s.relation(r.Path); at == same || at == below {
			t = max(t, Uses)
		}
	}
	act := s.acting(c)
	if act == (acting{}) {
		return t
	}
	for w := range operands(c) {
		t = max(t, act[s.relation(w)])
	}
	return t
}

// acting is what a command does to a path, by how that relates to the place.
type acting [open + 1]Touch

func (s *study) acting(c *shell.Command) acting {
	deep := has(c, "rRa", "--recursive", "--archive")
	switch c.Name() {
	case "rm", "rmdir", "unlink", "shred":
		return acting{above: Removes, same: Removes, below: Empties, open: Unknown}
	case "mv", "rename":
		return acting{above: Removes, same: Removes, below: Uses, open: Unknown}
	case "find":
		acts := slices.ContainsFunc(c.Args(), func(w shell.Word) bool {
			return slices.Contains([]string{"-delete", "-exec", "-execdir", "-ok", "-okdir", "-fprint", "-fls"}, w.Value)
		})
		if acts || c.Piped {
			return acting{above: Removes, same: Removes, below: Empties, open: Unknown}
		}
		return acting{}
	case "chown", "chmod", "chgrp", "setfacl", "chattr", "chcon", "restorecon", "touch":
		if deep {
			return acting{above: Uses, same: Uses, below: Uses, open: Unknown}
		}
	case "cp", "rsync", "install", "scp":
		if deep {
			return acting{above: Uses, same: Uses, below: Uses, open: Unknown}
		}
	case "tar", "bsdtar", "zip", "cpio", "7z", "mksquashfs":
		if packs(c) {
			return acting{above: Uses, same: Uses, below: Uses, open: Unknown}
		}
	case "ln": // what it makes may stand in the way to the place
		return acting{above: Uses, same: Uses, below: Uses}
	case "cd", "pushd", "mkdir", "echo", "printf", "test", "[", "[[", "ls", "export", "set", "mkdtemp":
		return acting{}
	}
	return acting{same: Uses, below: Uses}
}

// packs reports that tar makes an archive rather than unpacking one.
func packs(c *shell.Command) bool {
	if !strings.HasSuffix(c.Name(), "tar") {
		return true
	}
	for i, w := range c.Args() {
		switch v := w.Value; {
		case v == "--extract" || v == "--get" || v == "--list" || v == "-x":
			return false
		case (i == 0 || strings.HasPrefix(v, "-")) && !strings.HasPrefix(v, "--") && strings.ContainsAny(v, "xt"):
			return false
		}
	}
	return true
}

// operands are the words that aren't options; behind "--" all are.
func operands(c *shell.Command) iter.Seq[shell.Word] {
	return func(yield func(shell.Word) bool) {
		all := false
		for _, w := range c.Args() {
			switch {
			case all || !strings.HasPrefix(w.Value, "-"):
				if !yield(w) {
					return
				}
			case w.Literal && w.Value == "--":
				all = true
			}
		}
	}
}

// has reports one of the short options, alone or in a cluster, or a long one.
func has(c *shell.Command, short string, long ...string) bool {
	return slices.ContainsFunc(c.Args(), func(w shell.Word) bool {
		v := w.Value
		if strings.HasPrefix(v, "--") {
			return slices.Contains(long, v)
		}
		return len(v) > 1 && v[0] == '-' && strings.ContainsAny(v[1:], short)
	})
}
