// Package report prints what was found in Dockerfiles: for people, file by file
// ([Text]), and in one piece for programs ([Formats]).
//
// Printers are pure: they are given the results, a writer, a width and whether
// to use colours, and know nothing of terminals or files.
package report

import (
	"bytes"
	"unicode/utf8"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// File is what one Dockerfile gave.
type File struct {
	// Path is the file as its reader knows it; "-" is standard input.
	Path string
	// Src is the text that the findings' spans lie in; nil when it could not
	// be read. After repairs it is the repaired text.
	Src      []byte
	Findings []lint.Diagnostic
	// Problems say what kept the file from being checked, whole or in part.
	Problems []Problem
	// Fixed are the repairs that were made.
	Fixed []lint.Applied
}

// Problem is a failure to check a file or a part of it.
type Problem struct {
	Message string
	Line    int // from 1; 0 where it has no place in the text
}

// Rules finds what a finding itself doesn't say about its rule.
type Rules map[string]*lint.Rule

// Index makes rules findable by name.
func Index(rules []*lint.Rule) Rules {
	m := make(Rules, len(rules))
	for _, r := range rules {
		m[r.Name] = r
	}
	return m
}

// URL is the page that documents a finding's rule.
func (Rules) URL(d lint.Diagnostic) string {
	if d.URL != "" {
		return d.URL
	}
	return RuleURL(d.Rule)
}

// RuleURL is the page that documents one of our own rules.
func RuleURL(rule string) string {
	return "https://github.com/imgmgr/imgmgr/blob/main/docs/rules/" + rule + ".md"
}

// aliases are the finding's names in other linters; never nil.
func (r Rules) aliases(d lint.Diagnostic) []string {
	switch d.Alias {
	case "":
	case d.Rule:
		return []string{}
	default:
		return []string{d.Alias}
	}
	if found := r[d.Rule]; found != nil && found.Aliases != nil {
		return found.Aliases
	}
	return []string{}
}

// Summary counts over all files.
type Summary struct {
	Files    int `json:"files"`    // asked for, the failed ones included
	Failed   int `json:"failed"`   // with problems
	Findings int `json:"findings"` // all that are left
	Errors   int `json:"errors"`   // findings by severity
	Warnings int `json:"warnings"`
	Infos    int `json:"infos"`
	Fixable  int `json:"fixable"` // left, with a fix that --fix makes
	Unsafe   int `json:"unsafe"`  // left, with a fix that only --fix=unsafe makes
	Fixed    int `json:"fixed"`   // repairs made

	found  int // files with findings
	mended int // files with repairs
}

// Add counts a file.
func (s *Summary) Add(f File) {
	s.Files++
	s.Findings += len(f.Findings)
	s.Fixed += len(f.Fixed)
	if len(f.Problems) > 0 {
		s.Failed++
	}
	if len(f.Findings) > 0 {
		s.found++
	}
	if len(f.Fixed) > 0 {
		s.mended++
	}
	for _, d := range f.Findings {
		switch d.Severity {
		case lint.Error:
			s.Errors++
		case lint.Warning:
			s.Warnings++
		default:
			s.Infos++
		}
		switch {
		case d.Fix == nil || d.Fix.Safety <= lint.None:
		case d.Fix.Safety >= lint.Safe:
			s.Fixable++
		default:
			s.Unsafe++
		}
	}
}

// bom is the UTF-8 byte order mark, which editors hide and don't count.
var bom = []byte("\xef\xbb\xbf")

// position returns the line and column, from 1, of a byte offset. Columns
// count characters (Unicode code points; a byte that is no UTF-8 is one), not
// counting a byte order mark.
func position(src []byte, lines *edit.Lines, offset int) (line, column int) {
	offset = max(0, min(offset, len(src)))
	line = lines.Line(offset)
	start := lines.Span(line).Start
	if line == 1 && bytes.HasPrefix(src, bom) {
		start = len(bom)
	}
	if offset < start {
		return line, 1
	}
	return line, utf8.RuneCount(src[start:offset]) + 1
}
