package effect

import (
	"regexp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// named are the words of a standard tool that name files, or may; and what the
// tool does to them where its options make that less or more than it may do. why
// says that this isn't known.
func named(s *study, c *shell.Command, how manner) (files []shell.Word, as manner, why string) {
	args := c.Args()
	switch name := c.Name(); name {
	case "printf":
		if has(c, "v") {
			return nil, how, "what printf -v sets is not known"
		}
	case "find":
		return found(args)
	case "sed":
		return edited(c)
	case "tar":
		if len(args) > 0 && cluster.MatchString(args[0].Value) { // "tar xzf"
			args = args[1:]
		}
		return candidates(args, c), how, ""
	case "grep", "egrep", "fgrep":
		if !has(c, "ef", "--regexp", "--file") {
			return without(args, nil), how, ""
		}
	case "chmod":
		return without(args, mode), how, ""
	case "chown", "chgrp":
		return without(args, owner), how, ""
	case "cp", "mv", "install", "ln":
		if slices.ContainsFunc(args, func(w shell.Word) bool { return glued(w, "tS") || strings.HasPrefix(w.Value, "--backup") }) || has(c, "b") {
			return nil, how, "which files " + name + " writes is not known"
		}
	}
	switch how {
	case asks:
		return questions(args), how, ""
	case system:
		// Names of packages, locales and the like; only a path names a file.
		return slices.DeleteFunc(candidates(args, c), func(w shell.Word) bool { return w.Literal && !strings.Contains(w.Value, "/") }), how, ""
	}
	return candidates(args, c), how, ""
}

var (
	mode    = regexp.MustCompile(`^([0-7]+|[ugoa]*[-+=][ugoarwxXst,+=-]*)$`)
	cluster = regexp.MustCompile(`^[cxtrudAvzjJpkfhmSaC]+$`)
	owner   = regexp.MustCompile(`^[\w.-]*(:[\w.-]*)?$`)
)

// without are the operands but for the first, which is no file where it looks
// like that.
func without(args []shell.Word, like *regexp.Regexp) []shell.Word {
	var files []shell.Word
	first := true
	for _, w := range args {
		if len(w.Value) > 1 && w.Value[0] == '-' && w.Literal && !strings.Contains(w.Value, "=") {
			continue
		}
		if first && (like == nil || w.Literal && like.MatchString(w.Value)) {
			first = false
			continue
		}
		first = false
		files = append(files, w)
	}
	return files
}

// candidates are operands, and values of options that may name a file.
func candidates(args []shell.Word, c *shell.Command) []shell.Word {
	var files []shell.Word
	for i, w := range args {
		switch v := w.Value; {
		case v == "-" || strings.Contains(v, "://"):
		case slices.ContainsFunc(args[:i], func(w shell.Word) bool { return w.Value == "--" }) || !strings.HasPrefix(v, "-"):
			files = append(files, w)
		case strings.Contains(v, "="):
			_, w.Value, _ = strings.Cut(v, "=")
			files = append(files, w)
		case glued(w, valued(c.Name())):
			w.Value = v[strings.IndexAny(v, valued(c.Name()))+1:]
			if w.Value != "-" {
				files = append(files, w)
			}
		}
	}
	return files
}

// valued are short options whose value is a file.
func valued(name string) string {
	switch name {
	case "tar":
		return "Cf"
	case "curl", "gpg", "sort":
		return "o"
	case "wget":
		return "OPo"
	case "unzip":
		return "d"
	case "touch":
		return "r"
	case "mktemp":
		return "p"
	}
	return ""
}

// glued reports a short option of these letters that has its value behind it in
// the same word.
func glued(w shell.Word, letters string) bool {
	v := w.Value
	if letters == "" || len(v) < 3 || v[0] != '-' || v[1] == '-' {
		return false
	}
	i := strings.IndexAny(v, letters)
	return i > 0 && i < len(v)-1
}

// found are the folders that find looks through.
func found(args []shell.Word) ([]shell.Word, manner, string) {
	var folders []shell.Word
	for _, w := range args {
		if strings.HasPrefix(w.Value, "-") || w.Value == "(" || w.Value == "!" {
			break
		}
		folders = append(folders, w)
	}
	how := reads
	for _, w := range args[len(folders):] {
		switch {
		case strings.HasPrefix(w.Value, "-exec"), strings.HasPrefix(w.Value, "-ok"), strings.HasPrefix(w.Value, "-f"), w.Value == "-L", w.Value == "-follow":
			return nil, how, "what find " + w.Value + " does is not known"
		case w.Value == "-newer", w.Value == "-samefile":
			return nil, how, "what find " + w.Value + " compares is not known"
		case w.Value == "-delete":
			how = writes
		}
	}
	if len(folders) == 0 {
		folders = []shell.Word{{Raw: ".", Value: ".", Literal: true}}
	}
	return folders, how, ""
}

// substitution is a script of sed that neither writes a file nor starts a
// program: s with any delimiter, or a deletion.
var substitution = regexp.MustCompile(`^(/[^/]*/|\d+|\$)?(s/(\\.|[^/\\])*/(\\.|[^/\\])*/|s\|(\\.|[^|\\])*\|(\\.|[^|\\])*\||s#(\\.|[^#\\])*#(\\.|[^#\\])*#|s@(\\.|[^@\\])*@(\\.|[^@\\])*@|s,(\\.|[^,\\])*,(\\.|[^,\\])*,)[gIip0-9]*$|^(/[^/]*/|\d+)[dp]$`)

// edited are the files that sed reads, or with -i writes.
func edited(c *shell.Command) ([]shell.Word, manner, string) {
	how := reads
	var files []shell.Word
	scripted := false
	for i, w := range c.Args() {
		v := w.Value
		switch {
		case v == "-i" || strings.HasPrefix(v, "--in-place"):
			how = writes
		case v == "-e" || v == "-E" || v == "-r" || v == "-n":
		case strings.HasPrefix(v, "-"):
			return nil, how, "what sed " + v + " does is not known"
		case i > 0 && c.Args()[i-1].Value == "-e", !scripted && !has(c, "e"):
			if scripted = true; !substitution.MatchString(v) {
				return nil, how, "what the script of sed does is not known"
			}
		default:
			files = append(files, w)
		}
	}
	return files, how, ""
}

// questions are the words that test asks the file system about.
func questions(words []shell.Word) []shell.Word {
	var list []shell.Word
	for i, w := range words {
		isFile := i > 0 && len(words[i-1].Value) == 2 && words[i-1].Value[0] == '-' && !strings.ContainsAny(words[i-1].Value[1:], "znoav")
		between := i > 0 && slices.Contains([]string{"-nt", "-ot", "-ef"}, words[i-1].Value) || i+1 < len(words) && slices.Contains([]string{"-nt", "-ot", "-ef"}, words[i+1].Value)
		if isFile || between || w.Literal && strings.Contains(w.Value, "/") {
			list = append(list, w)
		}
	}
	return list
}
