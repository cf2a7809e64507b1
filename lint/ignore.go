package lint

import (
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/linter"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// Ignore is a comment that keeps rules quiet.
//
//	# imgmgr ignore=Rule,Rule # reason           the next instruction
//	# imgmgr global ignore=Rule                  the whole file
//	# hadolint ignore=DL3008 # reason            as hadolint reads it
//	# hadolint global ignore=DL3008
//	# check=skip=Rule,Rule                       as BuildKit reads it: on top
//	                                             for the file, above an
//	                                             instruction for it alone
//	# shellcheck disable=SC2086,SC3000-SC4000    above a RUN, or within it
//
// Names are those of rules and their aliases, in any case; "all" is every rule.
type Ignore struct {
	Span   edit.Span
	Owner  string // whose form it has: "imgmgr", "hadolint", "check" or "shellcheck"
	Names  []string
	Reason string // behind a second "#"
	// Spoken are the names that rules of this run answer to, and Used those
	// that kept a finding quiet. Both are known to rules that run Last.
	Spoken, Used map[string]bool

	in *dockerfile.Instruction // nil: the whole file
}

// ignores are a file's comments that keep rules quiet.
func ignores(f *dockerfile.File) []*Ignore {
	var list []*Ignore
	add := func(ig Ignore, ok bool) {
		if ok && len(ig.Names) > 0 {
			found := ig // of its own, for most comments are others
			found.Spoken, found.Used = map[string]bool{}, map[string]bool{}
			list = append(list, &found)
		}
	}
	for _, d := range f.Directives {
		add(Ignore{Span: d.Span, Owner: "check", Names: skipped(d.Value)}, d.Name == "check")
	}
	for _, c := range f.Comments {
		ig, global := ignoreComment(c)
		add(ig, global)
	}
	for _, in := range f.Instructions {
		if in.Name == "RUN" {
			for _, c := range slices.Concat(in.Lead, in.Comments) {
				add(Ignore{Span: c.Span, Owner: "shellcheck", Names: disabled(c.Text), in: in}, true)
			}
		}
		for _, c := range in.Lead {
			ig, global := ignoreComment(c)
			ig.in = in
			add(ig, !global)
			if value, ok := strings.CutPrefix(c.Text, "check="); ok {
				add(Ignore{Span: c.Span, Owner: "check", Names: skipped(value), in: in}, true)
			}
		}
	}
	return list
}

func ignoreComment(c dockerfile.Comment) (ig Ignore, global bool) {
	names, global := IgnoreComment(c.Text)
	owner, rest, _ := strings.Cut(c.Text, "#")
	owner, _, _ = strings.Cut(strings.TrimSpace(owner), " ")
	return Ignore{Span: c.Span, Owner: strings.TrimSuffix(owner, ":"), Names: names, Reason: strings.TrimSpace(rest)}, global
}

// IgnoreComment reads the names of an ignore comment of ours or of hadolint's;
// there are none where the text, which is without its "#", is another comment.
func IgnoreComment(text string) (names []string, global bool) {
	for _, owner := range []string{"imgmgr", "hadolint"} {
		rest, ok := strings.CutPrefix(text, owner)
		if !ok {
			continue
		}
		// "# imgmgr: ignore=" is what a writer of other pragmas expects.
		rest = strings.TrimSpace(strings.TrimPrefix(rest, ":"))
		if after, ok := strings.CutPrefix(rest, "global"); ok {
			rest, global = strings.TrimSpace(after), true
		}
		list, ok := strings.CutPrefix(rest, "ignore")
		if !ok {
			return nil, false
		}
		list, ok = strings.CutPrefix(strings.TrimSpace(list), "=")
		if !ok {
			return nil, false
		}
		list, _, _ = strings.Cut(list, "#") // the reason
		return split(list), global
	}
	return nil, false
}

// disabled reads the codes of a directive of ShellCheck's. BuildKit takes the
// comment away before ShellCheck could see it.
func disabled(text string) []string {
	rest, ok := strings.CutPrefix(text, "shellcheck ")
	if !ok {
		return nil
	}
	var codes []string
	for word := range strings.FieldsSeq(rest) {
		if list, ok := strings.CutPrefix(word, "disable="); ok {
			codes = append(codes, strings.Split(strings.Replace(list, "all", "SC0-SC9999", 1), ",")...)
		}
		if strings.HasPrefix(word, "#") {
			break // the reason
		}
	}
	return codes
}

// skipped reads the value of a check directive ("skip=A,B;error=true").
func skipped(value string) []string {
	value, _, _ = strings.Cut(value, " ")
	config, err := linter.ParseLintOptions(value)
	switch {
	case err != nil: // BuildKit reports it
		return nil
	case config.SkipAll:
		return []string{"all"}
	}
	return config.SkipRules
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
}

// silenced reports whether a comment keeps a finding of rule quiet, and notes
// which.
func silenced(list []*Ignore, f *dockerfile.File, rule *Rule, d Diagnostic) bool {
	if len(list) == 0 {
		return false
	}
	quiet, in := false, f.At(d.Start)
	for _, ig := range list {
		if ig.in != nil && ig.in != in || rule.deaf() && ig.Owner != "check" {
			continue
		}
		for _, name := range ig.Names {
			if names(name, rule, d.Alias) {
				ig.Used[name], quiet = true, true
			}
		}
	}
	return quiet
}

// heard notes which names of the comments are those of rule.
func heard(list []*Ignore, rule *Rule) {
	for _, ig := range list {
		for _, name := range ig.Names {
			if names(name, rule, "") && !strings.EqualFold(name, "all") {
				ig.Spoken[name] = true
			}
		}
	}
}

// names reports whether name is the rule's, or that of the check which alias
// names.
func names(name string, rule *Rule, alias string) bool {
	return strings.EqualFold(name, "all") || strings.EqualFold(name, rule.Name) || strings.EqualFold(name, alias) ||
		inRange(name, alias) ||
		alias == "" && slices.ContainsFunc(rule.Aliases, func(a string) bool { return strings.EqualFold(a, name) })
}

// inRange reports that the code is one of "SC2000-SC2999".
func inRange(codes, code string) bool {
	first, last, ok := strings.Cut(codes, "-")
	return ok && shellCode(code) > 0 && shellCode(first) <= shellCode(code) && shellCode(code) <= shellCode(last)
}

// shellCode is the number of one of ShellCheck's codes; -1 for another name.
func shellCode(name string) int {
	if len(name) < 2 || !strings.EqualFold(name[:2], "SC") {
		return -1
	}
	n, err := strconv.Atoi(name[2:])
	if err != nil {
		return -1
	}
	return n
}

// Ignored reports whether the file's comments ask to be quiet about a finding
// of rule at span. It is for findings that [Check] hasn't seen.
func Ignored(f *dockerfile.File, rule *Rule, span edit.Span) bool {
	return silenced(ignores(f), f, rule, Diagnostic{Span: span})
}

// Ignores are the comments that keep rules quiet.
func (p *Pass) Ignores() []*Ignore { return p.ignores }
