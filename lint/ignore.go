package lint

import (
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/linter"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// ignoreSet holds what a file's comments ask to be quiet about.
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
type ignoreSet struct {
	file []string
	at   map[*dockerfile.Instruction][]string
}

// Where deaf, BuildKit's comments alone count.
func ignores(f *dockerfile.File, deaf bool) *ignoreSet {
	set := &ignoreSet{at: map[*dockerfile.Instruction][]string{}}
	for _, d := range f.Directives {
		if d.Name == "check" {
			set.file = append(set.file, skipped(d.Value)...)
		}
	}
	for _, c := range f.Comments {
		names, global := IgnoreComment(c.Text)
		if global && !deaf {
			set.file = append(set.file, names...)
		}
	}
	for _, in := range f.Instructions {
		if in.Name == "RUN" && !deaf {
			for _, c := range slices.Concat(in.Lead, in.Comments) {
				set.at[in] = append(set.at[in], disabled(c.Text)...)
			}
		}
		for _, c := range in.Lead {
			if names, global := IgnoreComment(c.Text); !global && !deaf {
				set.at[in] = append(set.at[in], names...)
			}
			if value, ok := strings.CutPrefix(c.Text, "check="); ok {
				set.at[in] = append(set.at[in], skipped(value)...)
			}
		}
	}
	return set
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

// has reports whether a finding of rule is to be kept quiet.
func (s *ignoreSet) has(f *dockerfile.File, rule *Rule, d Diagnostic) bool {
	if len(s.file) == 0 && len(s.at) == 0 {
		return false
	}
	if names(s.file, rule, d.Alias) {
		return true
	}
	in := f.At(d.Start)
	return in != nil && names(s.at[in], rule, d.Alias)
}

// names reports whether the list has the rule, or the check that alias names.
func names(list []string, rule *Rule, alias string) bool {
	return slices.ContainsFunc(list, func(name string) bool {
		return strings.EqualFold(name, "all") || strings.EqualFold(name, rule.Name) || strings.EqualFold(name, alias) ||
			inRange(name, alias) ||
			alias == "" && slices.ContainsFunc(rule.Aliases, func(a string) bool { return strings.EqualFold(a, name) })
	})
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
	return ignores(f, false).has(f, rule, Diagnostic{Span: span})
}
