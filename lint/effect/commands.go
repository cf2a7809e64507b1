package effect

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// oddities say what in a script can't be followed from command to command.
func oddities(script *shell.Script) string {
	why := ""
	syntax.Walk(script.Syntax, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			why = "what the function " + n.Name.Value + " does is not known"
		case *syntax.CoprocClause:
			why = "what a coprocess does is not known"
		case *syntax.ParamExp:
			if n.Excl {
				why = "which variable " + "${!" + n.Param.Value + "}" + " reads is not known"
			}
		}
		return why == ""
	})
	return why
}

// loops are the variables that loops set.
func loops(script *shell.Script) []string {
	var names []string
	syntax.Walk(script.Syntax, func(n syntax.Node) bool {
		if loop, ok := n.(*syntax.WordIter); ok {
			names = append(names, loop.Name.Value)
		}
		return true
	})
	return names
}

// commands takes in the commands of one RUN in order. Nothing is known of the
// variables of open.
func (e *Effect) commands(list []*shell.Command, open []string, w World) {
	s := newStudy(nil, w.Scene, "")
	for _, name := range append(changing(list), open...) {
		delete(s.vars, name)
	}
	// What runs again in a loop sees folders that are changed to further down.
	var bring []Place
	for range 2 {
		for _, c := range list {
			at := len(e.Writes)
			if e.Unknown = e.command(s, c, w); e.Unknown != "" {
				return
			}
			if bringsLinks(c) {
				bring = append(bring, e.Writes[at:]...)
			}
			for _, a := range c.Assigns {
				e.leads(a.Name, a.Value.Value)
			}
			if c.Name() == "export" || c.Name() == "readonly" {
				for _, word := range c.Args() {
					name, value, _ := strings.Cut(word.Value, "=")
					e.leads(name, value)
				}
			}
			if !c.Conditional || c.Name() == "cd" {
				s.learn(c)
			}
			if c.Name() == "cd" && len(c.Args()) == 0 {
				s.goHome()
			}
		}
	}
	e.Unknown = e.behindLinks(bring)
}

// behindLinks says that a path may lead through a link that the same script
// makes or brings.
func (e *Effect) behindLinks(bring []Place) string {
	for _, b := range bring {
		for _, p := range slices.Concat(e.Reads, e.Writes) {
			if p.Perhaps == "" && p.Path != b.Path && within(b.Path, p.Path) {
				return "where " + p.Path + " leads is not known"
			}
		}
	}
	return ""
}

// bringsLinks reports that a command may put symbolic links where it writes.
func bringsLinks(c *shell.Command) bool {
	switch c.Name() {
	case "ln", "mv", "tar", "unzip":
		return true
	case "cp":
		return has(c, "rRadP", "--recursive", "--archive", "--no-dereference")
	}
	return false
}

// goHome is cd alone.
func (s *study) goHome() {
	if s.home == "" {
		s.lost = true
		return
	}
	s.dirs = append(s.dirs, s.home)
}

// changing are the variables whose value depends on the way through the script.
func changing(list []*shell.Command) []string {
	var names, once []string
	for _, c := range list {
		assigned := make([]string, 0, len(c.Assigns))
		for _, a := range c.Assigns {
			assigned = append(assigned, a.Name)
		}
		switch c.Name() {
		case "export", "readonly", "local", "declare", "typeset", "unset":
			for _, w := range c.Args() {
				name, _, _ := strings.Cut(w.Value, "=")
				assigned = append(assigned, name)
			}
		}
		for _, name := range assigned {
			if c.Conditional || slices.Contains(once, name) {
				names = append(names, name)
			}
			once = append(once, name)
		}
	}
	return names
}

// manner is what a standard tool does with the files that its words name.
type manner int

const (
	nothing manner = iota + 1
	asks           // tells what is true of words behind options: test
	reads
	writes  // reads and writes
	makes   // writes, and makes the folders above
	unpacks // makes, also in its working folder; reads settings in HOME
	system  // keeps to the system's folders, and what its words name
	users   // makes or changes users
)

// mannerOf knows standard tools by POSIX and by the manual pages of coreutils,
// shadow, adduser, BusyBox, dpkg, apt, apk-tools and dnf. docker-php-ext-* are the
// scripts of Docker Hub's PHP image.
func mannerOf(name string) manner {
	switch name {
	case "true", "false", ":", "set", "echo", "printf", "export", "unset", "readonly", "exit", "return", "shift", "wait", "umask", "sleep",
		"uname", "arch", "nproc", "getconf", "date", "whoami", "basename", "dirname", "which", "type", "hash", "command":
		return nothing
	case "[", "[[", "test":
		return asks
	case "cd", "cat", "head", "tail", "wc", "cut", "tr", "sort", "uniq", "grep", "egrep", "fgrep", "ls", "stat", "readlink", "realpath", "sha256sum", "sha512sum", "md5sum", "cmp", "diff", "du":
		return reads
	case "rm", "touch", "chmod", "chown", "chgrp", "tee", "truncate", "ln", "sed", "find", "mktemp":
		return writes
	case "mkdir", "rmdir", "install", "cp", "mv":
		return makes
	case "tar", "unzip", "curl", "wget", "gpg":
		return unpacks
	case "dpkg", "dpkg-reconfigure", "dpkg-divert", "dpkg-query", "rpm", "rpmkeys", "ldconfig", "locale-gen", "update-locale", "localedef", "update-alternatives", "update-ca-certificates", "update-ca-trust",
		"debconf-set-selections", "apt-mark", "apt-config", "apt-cache", "apt-key", "add-apt-repository", "apt-add-repository", "fc-cache", "setcap", "id", "getent":
		return system
	case "useradd", "groupadd", "adduser", "addgroup", "usermod", "groupmod", "userdel", "groupdel", "deluser", "delgroup", "passwd", "chpasswd":
		return users
	}
	return 0
}

// installers are package managers with the verbs that keep to the system; true
// for those that install.
func installers(name string) map[string]bool {
	switch name {
	case "apt-get", "apt", "aptitude":
		return map[string]bool{"install": true, "reinstall": true, "upgrade": true, "dist-upgrade": true, "full-upgrade": true, "build-dep": true, "satisfy": true, "update": true,
			"remove": false, "purge": false, "autoremove": false, "autopurge": false, "clean": false, "autoclean": false, "auto-clean": false, "distclean": false, "dist-clean": false}
	case "apk":
		return map[string]bool{"add": true, "upgrade": true, "update": true, "fix": true, "del": false, "cache": false, "info": false, "--print-arch": false}
	case "yum", "dnf", "dnf5", "microdnf", "tdnf":
		return map[string]bool{"install": true, "groupinstall": true, "localinstall": true, "reinstall": true, "update": true, "upgrade": true, "makecache": true, "module": true,
			"remove": false, "erase": false, "autoremove": false, "clean": false, "config-manager": false}
	case "zypper":
		return map[string]bool{"install": true, "in": true, "update": true, "up": true, "refresh": true, "ref": true, "dup": true, "patch": true, "remove": false, "rm": false, "clean": false, "addrepo": false, "ar": false}
	case "docker-php-ext-install", "docker-php-ext-configure", "docker-php-ext-enable", "install-php-extensions":
		return map[string]bool{"": true}
	case "pecl":
		return map[string]bool{"install": true, "update-channels": true}
	}
	return nil
}

// command takes in one command; it says why nothing is known of it.
func (e *Effect) command(s *study, c *shell.Command, w World) (unknown string) {
	if why := e.started(c); why != "" {
		return why
	}
	if why := e.redirects(s, c, w); why != "" {
		return why
	}
	name := c.Name()
	if len(c.Words) == 0 {
		return ""
	}
	if verbs := installers(name); verbs != nil {
		return e.install(s, c, w, verbs)
	}
	how := mannerOf(name)
	files, how, why := named(s, c, how)
	if why != "" {
		return why
	}
	switch how {
	case 0:
		return "what " + shown(c) + " reads and writes is not known"
	case nothing:
		return ""
	case users:
		return e.user(s, c, w)
	case system:
		e.System = true
		e.Network = e.Network || strings.Contains(name, "-repository") || name == "apt-key"
		if name == "update-ca-certificates" {
			e.Reads = append(e.Reads, Place{Path: "/usr/local/share/ca-certificates"})
		}
	case unpacks:
		if why := e.unpack(s, c, w); why != "" {
			return why
		}
	}
	if name == "mktemp" || name == "gpg" {
		e.Writes = append(e.Writes, w.place("/tmp"))
	}
	return e.paths(s, c, w, files, how)
}

// unpack takes in what tar, curl and their like touch besides the files that
// they are told of.
func (e *Effect) unpack(s *study, c *shell.Command, w World) string {
	here := false
	switch name := c.Name(); name {
	case "curl":
		here = has(c, "OJ", "--remote-name", "--remote-name-all", "--remote-header-name")
	case "wget":
		here = !has(c, "OP", "--output-document", "--directory-prefix") &&
			!slices.ContainsFunc(c.Args(), func(a shell.Word) bool {
				return strings.HasPrefix(a.Value, "--output-document=") || strings.HasPrefix(a.Value, "--directory-prefix=")
			})
	case "tar":
		here = !packs(c) && !has(c, "C", "--directory") && !slices.ContainsFunc(c.Args(), func(a shell.Word) bool { return strings.HasPrefix(a.Value, "--directory=") })
	case "unzip":
		here = !has(c, "d")
	}
	if c.Name() != "tar" && c.Name() != "unzip" {
		e.Network = true
		if w.Home == "" {
			return "the HOME of " + c.Name() + " is not known"
		}
		// curl(1) .netrc and .curlrc are read; wget(1) keeps .wget-hsts, gpg(1) its keys.
		e.Writes = append(e.Writes, w.place(path.Join(w.Home, ".wget-hsts")), w.place(path.Join(w.Home, ".gnupg")))
	}
	if !here {
		return ""
	}
	if len(s.dirs) == 0 || s.lost {
		return "the folder that " + c.Name() + " runs in is not known"
	}
	e.Needs |= Workdir
	for _, d := range s.dirs {
		e.Writes = append(e.Writes, w.place(path.Clean(d)))
	}
	return ""
}

// started says why a command isn't the program that its name says.
func (e *Effect) started(c *shell.Command) string {
	if len(c.Words) > 0 {
		first := c.Words[0]
		if !first.Literal {
			return "which program " + first.Raw + " is is not known"
		}
		if strings.Contains(first.Value, "/") && !slices.Contains([]string{"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"}, path.Dir(first.Value)) {
			return "what " + first.Value + " does is not known"
		}
	}
	for _, wrap := range c.Wrappers {
		switch wrap.Value {
		case "env", "exec", "command", "builtin", "time", "nice", "ionice", "timeout", "stdbuf", "nohup", "eatmydata", "chronic", "sh", "bash", "dash", "ash":
		case "sudo":
			if strings.Contains(wrap.Raw, " -") && !strings.HasSuffix(wrap.Raw, " -E") && !strings.HasSuffix(wrap.Raw, " -H") {
				return "whom " + wrap.Raw + " runs it as is not known"
			}
		default:
			return wrap.Value + " starts it"
		}
	}
	return ""
}

// redirects takes in the files that input comes from and output goes to.
func (e *Effect) redirects(s *study, c *shell.Command, w World) string {
	for _, r := range c.Redirects {
		switch r.Op {
		case "<<", "<<-", "<<<", "<&":
			continue
		case ">&":
			if r.Path.Literal && strings.Trim(r.Path.Value, "0123456789-") == "" {
				continue
			}
		}
		places, ok := e.located(s, r.Path, w)
		if !ok {
			return "the file " + r.Path.Raw + " is not known"
		}
		for _, p := range places {
			switch {
			case within("/dev", p.Path):
			case r.Op == "<":
				e.Reads = append(e.Reads, p)
			default:
				e.Writes = append(e.Writes, p)
			}
		}
	}
	return ""
}

// paths takes in what a tool does to files. A word that is no file is taken for
// one, too.
func (e *Effect) paths(s *study, c *shell.Command, w World, words []shell.Word, how manner) string {
	for _, word := range words {
		places, ok := e.located(s, word, w)
		if !ok {
			return "the value of " + word.Raw + " is not known"
		}
		e.Reads = append(e.Reads, places...)
		if how == reads || how == asks || how == system && c.Name() != "dpkg-divert" {
			continue
		}
		for _, p := range places {
			e.Writes = append(e.Writes, p)
			if how == makes || how == unpacks {
				e.Makes = append(e.Makes, parents(p.Path)...)
			}
		}
	}
	if name := c.Name(); name == "chown" || name == "chgrp" || name == "install" {
		e.Reads = append(e.Reads, Place{Path: "/etc/passwd"}, Place{Path: "/etc/group"})
	}
	return ""
}

// located are the places that a word may name; not ok where it isn't known.
func (e *Effect) located(s *study, word shell.Word, w World) ([]Place, bool) {
	prefix, rest := s.split(word)
	if strings.Contains(prefix, "://") {
		return nil, true
	}
	if rest != "" {
		if strings.IndexByte("*?[", rest[0]) < 0 || strings.ContainsAny(rest, "$`{(<>~") || strings.Contains(rest, "..") {
			return nil, false
		}
		prefix = prefix[:strings.LastIndexByte(prefix, '/')+1] // a pattern: any name in its folder
	}
	if path.IsAbs(prefix) {
		return []Place{w.place(path.Clean(prefix))}, true
	}
	if len(s.dirs) == 0 || s.lost {
		return nil, false
	}
	e.Needs |= Workdir
	var list []Place
	for _, d := range s.dirs {
		list = append(list, w.place(path.Join(d, prefix)))
	}
	return list, true
}

// shown is a command as messages name it.
func shown(c *shell.Command) string {
	if name := c.Name(); name != "" {
		return name
	}
	return "a command"
}
