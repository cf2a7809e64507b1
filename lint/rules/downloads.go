package rules

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// What curl and wget fetch, and where what they fetch goes.

func isURL(v string) bool {
	return strings.HasPrefix(v, "http://") || strings.HasPrefix(v, "https://") || strings.HasPrefix(v, "ftp://")
}

var variableRef = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?`)

// withValues is text with the variables that are known replaced.
func withValues(text string, env map[string]string) string {
	return variableRef.ReplaceAllStringFunc(text, func(v string) string {
		if value, ok := env[variableRef.FindStringSubmatch(v)[1]]; ok {
			return value
		}
		return v
	})
}

// userInfo matches a name and a password in a URL.
var userInfo = regexp.MustCompile(`^([a-z]+://)[^/?#]*@`)

// withoutUser is a URL to be shown: a value of a variable may hold a password.
func withoutUser(source string) string { return userInfo.ReplaceAllString(source, "$1") }

// remote is the URL that a curl or wget fetches, or "" when it doesn't fetch a
// file from elsewhere. Where it begins with a variable of env, it has the
// variables' values; else it is as written.
func remote(c *shell.Command, env map[string]string) string {
	if c.Name() != "curl" && c.Name() != "wget" {
		return ""
	}
	source := ""
	for i, w := range c.Args() {
		if sends(c, i) {
			return ""
		}
		v := w.Value
		if !w.Literal && strings.HasPrefix(v, "$") {
			v = withValues(v, env)
		}
		if isURL(v) && source == "" && !valueOfOption(c, i) {
			source = v
		}
	}
	if u, err := url.Parse(source); err == nil && (u.Hostname() == "localhost" || strings.HasPrefix(u.Hostname(), "127.") || u.Hostname() == "0.0.0.0") {
		return ""
	}
	return source
}

// sends reports that the i-th argument makes the command ask for no file: a
// method other than GET, or data to be sent.
func sends(c *shell.Command, i int) bool {
	v := c.Args()[i].Value
	if i+1 < len(c.Args()) {
		v += " " + c.Args()[i+1].Value
	}
	option, value, _ := strings.Cut(v, " ")
	option, glued, found := strings.Cut(option, "=")
	if found {
		value = glued
	}
	switch option {
	case "--head", "--spider", "--upload-file", "--data", "--data-raw", "--data-binary", "--data-urlencode", "--json", "--form", "--post-data", "--post-file":
		return true
	case "--request", "--method":
		return value != "GET"
	}
	if c.Name() != "curl" || !strings.HasPrefix(option, "-") || strings.HasPrefix(option, "--") {
		return false
	}
	at := strings.IndexAny(option, curlValues+"I")
	switch {
	case at < 0:
		return false
	case option[at] == 'X':
		return strings.TrimPrefix(option[at+1:]+value, "=") != "GET" && !strings.HasPrefix(option[at+1:], "GET")
	}
	return strings.ContainsRune("IdFT", rune(option[at]))
}

// curlValues are curl's single-letter options that take a value, which the rest
// of the word is.
const curlValues = "AbcdDeEFHKmoPQrtTuUwxXyYz"

// valueOfOption reports that the i-th argument belongs to an option that takes
// a URL: a referrer, a proxy.
func valueOfOption(c *shell.Command, i int) bool {
	return i > 0 && slices.Contains([]string{"-e", "--referer", "-x", "--proxy", "-H", "--header", "-A", "--user-agent", "-w", "--preproxy"}, c.Args()[i-1].Value)
}

// piped is the command that reads c's output, or nil.
func piped(f *dockerfile.File, st *shell.Statement, c *shell.Command) *shell.Command {
	if !c.Piped {
		return nil
	}
	var next *shell.Command
	for _, o := range st.Commands {
		if o.Span.Start > c.Span.End && (next == nil || o.Span.Start < next.Span.Start) {
			next = o
		}
	}
	if next == nil {
		return nil
	}
	between := edit.Span{Start: c.Span.End, End: next.Span.Start}.Of(f.Src)
	if !strings.Contains(between, "|") || strings.ContainsAny(between, ";)") || strings.Contains(between, "||") || strings.Contains(between, "&&") {
		return nil
	}
	return next
}

// intoShell matches what stands in front of a command whose output a shell runs.
var intoShell = regexp.MustCompile(`\b(sh|bash|zsh|eval|source)(\s+-\w+)*\s+["']?(\$\(|<\(|` + "`" + `)\s*$`)

// substituted reports that a shell gets the output as its script:
// sh -c "$(curl …)", bash <(curl …).
func substituted(f *dockerfile.File, c *shell.Command) bool {
	line := string(f.Src[max(0, c.Span.Start-60):c.Span.Start])
	return intoShell.MatchString(line)
}

// output is the file that the download of source is written to; ok is false
// when it goes to standard output.
func output(c *shell.Command, source string) (file string, ok bool) {
	for _, r := range c.Redirects {
		if r.Op == ">" || r.Op == ">>" || r.Op == ">|" || r.Op == "&>" {
			return written(r.Path.Value)
		}
	}
	values, letter, long := curlValues, byte('o'), "--output"
	if c.Name() == "wget" {
		values, letter, long = "aABDeGiIlOoPQRStTUwX", 'O', "--output-document"
	}
	args := c.Args()
	for i, w := range args {
		v := w.Value
		if value, found := strings.CutPrefix(v, long+"="); found {
			return written(value)
		}
		if !strings.HasPrefix(v, "-") {
			continue
		}
		next := ""
		if i+1 < len(args) {
			next = args[i+1].Value
		}
		if v == long {
			return written(next)
		}
		if strings.HasPrefix(v, "--remote-name") {
			return path.Base(source), true
		}
		if strings.HasPrefix(v, "--") {
			continue
		}
		at := strings.IndexAny(v, values)
		flags := v
		if at >= 0 {
			flags = v[:at]
		}
		switch {
		case c.Name() == "curl" && strings.Contains(flags, "O"):
			return path.Base(source), true
		case at >= 0 && v[at] == letter && at+1 < len(v):
			return written(v[at+1:])
		case at >= 0 && v[at] == letter:
			return written(next)
		}
	}
	// wget writes a file unless told otherwise.
	return path.Base(source), c.Name() == "wget"
}

func written(file string) (string, bool) {
	return file, file != "-" && file != "/dev/null" && !strings.HasPrefix(file, "/dev/std")
}
