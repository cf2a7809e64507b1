package effect

import (
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// install takes in a package manager's command. What packages bring and run
// keeps to the system's folders; files that the command line names are read,
// too. dpkg, rpm and apk start the scripts of packages in / and not where they
// are started themselves, apt its hooks in /tmp.
func (e *Effect) install(s *study, c *shell.Command, w World, verbs map[string]bool) string {
	verb, ok := "", false
	if _, ok = verbs[""]; !ok {
		for _, word := range c.Args() {
			if _, isVerb := verbs[word.Value]; isVerb && word.Literal {
				verb, ok = word.Value, true
				break
			}
		}
	}
	if !ok {
		return "what " + shown(c) + " is asked for is not known"
	}
	e.System, e.Network = true, true
	title := strings.TrimSpace(c.Name() + " " + verb)
	if verbs[verb] && (e.Installs == "" || e.lists) {
		e.Installs, e.Command = title, c
		e.lists = slices.Contains([]string{"update", "refresh", "ref", "makecache", "update-channels"}, verb)
	}
	var files []shell.Word
	for i, word := range c.Args() {
		value := word.Value
		if i > 0 && slices.Contains([]string{"-o", "--option", "--setopt"}, c.Args()[i-1].Value) {
			value = "-o" + value
		}
		switch {
		case misleads(value):
			return title + " " + word.Raw + " may lead it elsewhere"
		case !word.Literal && !harmless(s, word):
			return "the value of " + word.Raw + " is not known"
		case strings.HasPrefix(value, "-") || strings.Contains(value, "://"):
		case i > 0 && (c.Args()[i-1].Value == "-t" || c.Args()[i-1].Value == "--virtual"):
		case strings.Contains(value, "/") || value == "." || value == ".." || strings.HasSuffix(value, ".deb") || strings.HasSuffix(value, ".rpm") || strings.HasSuffix(value, ".apk"):
			files = append(files, word)
		}
	}
	return e.paths(s, c, w, files, reads)
}

// misleads reports an option that gives a package manager another root,
// another configuration, or a program to run.
func misleads(option string) bool {
	name, _, _ := strings.Cut(strings.ToLower(option), "=")
	if !strings.HasPrefix(name, "-") {
		return false
	}
	if slices.Contains([]string{"-c", "--config", "--config-file", "--root", "--installroot", "--downloaddir", "--destdir", "--repositories-file", "--repository-config", "--keys-dir", "-p", "-d", "--download-only"}, name) &&
		option != "-P" && option != "-C" && option != "-D" {
		return true
	}
	return strings.HasPrefix(name, "-odir") || strings.HasPrefix(name, "-orootdir") || strings.Contains(name, "invoke") || strings.Contains(name, "proxy-auto") || strings.Contains(name, "reposdir")
}

// harmless reports that a word, whatever its variables hold, names packages and
// no file: "curl=${VERSION}".
func harmless(s *study, word shell.Word) bool {
	value, whole := s.known(word)
	if whole {
		return !strings.Contains(value, "/") && !strings.HasPrefix(value, "-")
	}
	name, _, pinned := strings.Cut(word.Value, "=")
	if pinned && !strings.HasPrefix(name, "-") && !strings.ContainsAny(name, "/$`.") {
		return !strings.Contains(word.Value, "/")
	}
	// A pattern of package names.
	return !strings.ContainsAny(word.Value, "$`/(~<>") && !strings.HasPrefix(word.Value, "-") && !strings.HasPrefix(word.Value, ".")
}

// user takes in a command that makes or changes users: it reads and writes
// /etc/passwd and its like, /etc/skel and the mail folder, and the home
// (useradd(8), adduser(8), BusyBox's adduser). A name's home is below /home
// unless the command says otherwise.
func (e *Effect) user(s *study, c *shell.Command, w World) string {
	e.System = true
	if name := c.Name(); e.Users == "" && (strings.Contains(name, "add")) {
		e.Users = name
		if e.Command == nil {
			e.Command = c
		}
	}
	switch name := c.Name(); {
	case name == "userdel" && has(c, "r", "--remove"), name == "deluser" && has(c, "", "--remove-home", "--remove-all-files"), name == "usermod" && has(c, "mugd", "--move-home", "--uid", "--gid", "--home"):
		return "the home that " + name + " changes is not known"
	}
	for _, word := range c.Args() {
		value, whole := s.known(word)
		if !whole {
			return "the value of " + word.Raw + " is not known"
		}
		if value == "-R" || value == "--root" || value == "-P" || value == "--prefix" || strings.HasPrefix(value, "--root=") || strings.HasPrefix(value, "--prefix=") {
			return shown(c) + " " + value + " may lead it elsewhere"
		}
		if strings.HasPrefix(value, "-") { // a home may be glued to its option
			value = value[max(0, strings.IndexByte(value, '/')):]
			if strings.HasPrefix(value, "-") {
				continue
			}
		}
		switch i := strings.IndexByte(value, '/'); {
		case value == "":
		case i == 0:
			e.Writes = append(e.Writes, w.place(path.Clean(value)))
		case i > 0:
			return "the file " + word.Raw + " is not known"
		default:
			e.Writes = append(e.Writes, w.place("/home/"+value))
		}
	}
	return ""
}
