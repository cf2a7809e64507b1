package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// EmptyArgumentUsed finds build arguments that may be empty where an empty word
// does something else.
var EmptyArgumentUsed = &lint.Rule{
	Name:     "EmptyArgumentUsed",
	Aliases:  []string{"SC2070", "SC2115"},
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "A build argument that may be empty makes a command do something else",
		Why: `An ARG without a default is empty in every build that doesn't pass it. Without quotes, [ $MODE = debug ] is then
[ = debug ], an error that counts as "no", [ -n $MODE ] is always true, and rm -rf $DIR/* empties the root folder.
Quotes, a default, or ${DIR:?} say what is meant. ShellCheck doesn't know which variables may be empty.`,
		Bad:  file("FROM alpine:3.20\nARG MODE\nRUN if [ $MODE = debug ]; then touch /debug; fi\n"),
		Good: file("FROM alpine:3.20\nARG MODE\nRUN if [ \"$MODE\" = debug ]; then touch /debug; fi\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			switch c.Name() {
			case "[", "test":
				reportEmptyTests(p, c)
			case "rm":
				reportEmptyFolders(p, c)
			}
		}
		return nil
	},
}

// reportEmptyTests finds [ $A = b ] and [ -n $A ].
func reportEmptyTests(p *lint.Pass, c ran) {
	args := c.Args()
	for i, w := range args {
		name := wholeVariable(w.Raw)
		if name == "" || !mayBeEmpty(p, c, name) {
			continue
		}
		report := func(code, what string) {
			if code != "SC2070" || p.Facts.ShellCheck == nil { // it says the same
				p.Report(lint.Diagnostic{Span: w.Span, Alias: code, Message: fmt.Sprintf("a build that doesn't pass %s %s: quote \"$%s\"", name, what, name)})
			}
		}
		switch {
		case i > 0 && args[i-1].Value == "-n":
			report("SC2070", "makes this test true")
		case i > 0 && compares(args[i-1].Value), i+1 < len(args) && compares(args[i+1].Value):
			report("EmptyArgumentUsed", "gives the test a word too few, an error that counts as false")
		}
	}
}

func compares(op string) bool {
	return slices.Contains([]string{"=", "==", "!=", "-eq", "-ne", "-gt", "-ge", "-lt", "-le"}, op)
}

// reportEmptyFolders finds rm -r $A/ and $A/*, quoted or not.
func reportEmptyFolders(p *lint.Pass, c ran) {
	recursive := slices.ContainsFunc(c.Args(), func(w shell.Word) bool {
		return w.Value == "--recursive" || strings.HasPrefix(w.Value, "-") && !strings.HasPrefix(w.Value, "--") && strings.ContainsAny(w.Value, "rR")
	})
	for _, w := range c.Args() {
		folder := strings.TrimRight(strings.ReplaceAll(w.Raw, `"`, ""), "*")
		name := wholeVariable(strings.TrimRight(folder, "/"))
		if recursive && name != "" && strings.HasSuffix(folder, "/") && p.Facts.ShellCheck == nil && mayBeEmpty(p, c, name) {
			p.Report(lint.Diagnostic{Span: w.Span, Alias: "SC2115", Severity: lint.Error, Message: fmt.Sprintf("a build that doesn't pass %s deletes all of the image's root folder: write ${%s:?}", name, name)})
		}
	}
}

var oneVariable = regexp.MustCompile(`^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})$`)

// wholeVariable is the variable that a word is, without quotes; "" for another
// word.
func wholeVariable(word string) string {
	if m := oneVariable.FindStringSubmatch(word); m != nil {
		return m[1] + m[2]
	}
	return ""
}

// mayBeEmpty reports a variable that only an ARG without a default sets.
func mayBeEmpty(p *lint.Pass, c ran, name string) bool {
	if slices.Contains(dockerfile.PlatformArgs(), name) || p.Facts.Args[name] != "" {
		return false
	}
	if value, ok := p.File.GlobalArg(name, p.Facts.Args); ok && value != "" {
		return false
	}
	if assigns(c.script, name) {
		return false
	}
	for _, above := range slices.Backward(c.in.Stage.Instructions) {
		if above.Span.Start > c.in.Span.Start {
			continue
		}
		switch i := above.Command.(type) {
		case *instructions.EnvCommand:
			if slices.ContainsFunc(i.Env, func(kv instructions.KeyValuePair) bool { return kv.Key == name }) {
				return false
			}
		case *instructions.ArgCommand:
			for _, arg := range i.Args {
				if arg.Key == name {
					return arg.Value == nil || *arg.Value == ""
				}
			}
		}
	}
	return false
}

// assigns reports that the script itself sets, tests or reads the variable, in a
// way that isn't followed here.
func assigns(s *shell.Script, name string) bool {
	text := s.Text.String()
	for _, way := range []string{name + "=", name + ":", "-z $" + name, "-z ${" + name, `-z "$` + name, `-z "${` + name, "for " + name + " ", "read " + name, `-n "$` + name, `-n "${` + name} {
		if strings.Contains(text, way) {
			return true
		}
	}
	return false
}
