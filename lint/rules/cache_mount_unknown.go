package rules

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// spelled is what the i-th command asks of a tool with the values of its variables in
// their place, and without the variables in front of its verb that have no known value
// (options, as in "apt-get $OPTIONS install"); nil where that installs nothing.
func (s *step) spelled(i int) *ecosystem.Use {
	c := s.commands[i]
	words, through := s.values(i)
	if through != "" {
		if u := ecosystem.FindAs(c, words, through); u != nil {
			s.elsewhere[c], s.elsewhere[u.Command] = through, through
			return u
		}
	}
	var rest []shell.Word
	without := ""
	for k, w := range words {
		name := variableOf(w)
		next := slices.IndexFunc(words[k:], func(w shell.Word) bool { return variableOf(w) == "" })
		if k == 0 || name == "" || next < 0 || !words[k+next].Literal || strings.HasPrefix(words[k+next].Value, "-") {
			rest = append(rest, w)
			continue
		}
		without = cmp.Or(without, "$"+name)
	}
	if without == "" {
		return nil
	}
	u := ecosystem.FindAs(c, rest, cmp.Or(through, without))
	if u != nil && through != "" {
		s.elsewhere[c], s.elsewhere[u.Command] = through, through
	}
	return u
}

// values are the words of the i-th command with the known values of variables in their
// place, and the first one of these variables, "$PIP"; "" where no value is known.
func (s *step) values(i int) (words []shell.Word, through string) {
	c := s.commands[i]
	if !slices.ContainsFunc(c.Words, func(w shell.Word) bool { return variableOf(w) != "" }) {
		return c.Words, ""
	}
	env := s.env(i)
	for _, w := range c.Words {
		name := variableOf(w)
		value, known := env.Vars[name]
		if name == "" || !known || strings.ContainsAny(value, "\"'\\*?[~$`|&;<>()") {
			words = append(words, w)
			continue
		}
		parts := strings.Fields(value)
		if w.Raw[0] == '"' {
			parts = []string{value}
		}
		for _, part := range parts {
			words = append(words, shell.Word{Span: w.Span, Raw: w.Raw, Value: part, Literal: true})
		}
		through = cmp.Or(through, "$"+name)
	}
	return words, through
}

// variableOf is the name of the variable that a word is all of: "X" of "$X", ${X} or
// "${X}"; "" for another word.
func variableOf(w shell.Word) string {
	if w.Literal {
		return ""
	}
	return wholeVariable(strings.Trim(w.Raw, `"`))
}

// settleUnknown says of the step's commands which may install something that what
// decides it isn't known.
func (all *steps) settleUnknown(s *step) {
	for i, u := range s.uses {
		if u != nil && u.Kind != 0 {
			continue
		}
		c := *s.commands[i]
		c.Words, _ = s.values(i)
		if word := ecosystem.Perhaps(&c); word != "" {
			all.pass.Settle(c.Span, "what %s stands for is not known: where it makes the command install something, that gets no cache mount", word)
		}
	}
}

// settleTriggers says of what ONBUILD installs why it stays as it is.
func (all *steps) settleTriggers() {
	for _, st := range all.pass.File.Stages {
		for _, in := range st.Instructions {
			if in.Trigger == nil || in.Trigger.Name != "RUN" {
				continue
			}
			commands, _ := startedBy(all.pass.File, in.Trigger)
			for _, c := range commands {
				title := ecosystem.Perhaps(c)
				if u := use(all.pass, c); u != nil && u.Kind&(ecosystem.Fetch|ecosystem.Build|ecosystem.Offline) != 0 {
					title = u.Title
				}
				if title != "" {
					all.pass.Settle(c.Span, "%s gets no cache mount: ONBUILD runs it in the builds of other images, and its text is part of this one's configuration", title)
				}
			}
		}
	}
}
