package rules

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// empties reports that the use empties a cache of its tool.
func empties(u *ecosystem.Use, tool *ecosystem.Tool, cache string) bool {
	return u != nil && u.Tool.Name == tool.Name && u.Kind&ecosystem.Clean != 0 &&
		(len(u.Empties) == 0 || slices.Contains(u.Empties, cache))
}

// cleans looks at the commands of the step that empty the cache. They would
// empty the mount, and take its gain away: one that can be led to the image's
// own folder is, and one that has nothing left to do goes.
func (all *steps) cleans(s *step, w *want, v *verdict) {
	for i, u := range s.uses {
		if !empties(u, w.use.Tool, w.cache.Name) {
			continue
		}
		switch {
		case w.cache.Mount != "" && u.Spares != "" && !s.in.JSON:
		case w.cache.Mount == "" && u.Cleans && len(all.takeOut(s, i)) > 0:
			all.nothingToClean(s, u, w, v)
		default:
			v.block("%s in the same step would empty it", u.Title)
		}
	}
}

// nothingToClean holds that a command which empties caches finds nothing in the
// image once the step has its mounts: all that it empties is mounted, and
// nothing of it comes from below.
func (all *steps) nothingToClean(s *step, u *ecosystem.Use, w *want, v *verdict) {
	for _, other := range all.caches(s) {
		if !empties(u, w.use.Tool, other.cache.Name) || other.cache.Path == w.cache.Path || other.use.Tool.Name != u.Tool.Name {
			continue
		}
		if all.mounted(s, other.cache.Path) != nil {
			continue
		}
		if o := all.alone(s, other); o.blocked != "" {
			v.block("%s in the same step would empty it", u.Title)
		} else {
			v.less(o.safety, "%s", o.doubt)
		}
		if other.cache.Kept {
			v.less(lint.Safe, "%s has to empty %s, too", u.Title, other.cache.Path)
		}
	}
	root := all.root(s.in.Stage)
	if ref, ok := all.pass.BaseRef(root); !ok || !official(ref) {
		v.less(lint.Safe, "whether %s has something for %s to remove is not known", s.base, u.Title)
	}
	for _, o := range all.list {
		if !all.before(o.in, s.in) {
			continue
		}
		if c := o.mayFill(u.Tool); c != "" || o.opaque {
			v.less(lint.Safe, "%s in an earlier step may leave something for %s to remove", cmp.Or(c, "a RUN"), u.Title)
		}
		for _, other := range all.caches(o) {
			if empties(u, other.use.Tool, other.cache.Name) && all.mounted(o, other.cache.Path) == nil {
				v.less(lint.Safe, "%s in an earlier step leaves something for %s to remove", other.use.Title, u.Title)
			}
		}
	}
}

// mayFill names a command of the step that may start the tool: a script, or the
// tool itself with what isn't known.
func (s *step) mayFill(tool *ecosystem.Tool) string {
	for i, c := range s.commands {
		u := s.uses[i]
		switch {
		case u != nil && u.Tool.Name == tool.Name && u.Kind == 0 && len(c.Words) > 1:
			return u.Title
		case u == nil && !ecosystem.Inert(c) && !ecosystem.System(c):
			return cmp.Or(c.Name(), "a command")
		}
	}
	return ""
}

// spared are the edits that keep the step's own commands from emptying what is
// mounted.
func (all *steps) spared(s *step, w *want) []edit.Edit {
	var edits []edit.Edit
	for i, u := range s.uses {
		switch {
		case !empties(u, w.use.Tool, w.cache.Name):
		case w.cache.Mount != "" && u.Spares != "":
			at := u.Command.Words[0].Span.End
			edits = append(edits, edit.Edit{Span: edit.Span{Start: at, End: at}, New: " " + u.Spares})
		default:
			edits = append(edits, all.takeOut(s, i)...)
		}
	}
	return edits
}

// takeOut removes the step's i-th command, which succeeds, so that the script
// goes on and ends as it did. It is empty where that can't be done.
//
// Behind && the command goes with it. In front of another statement it goes
// with the separator. At the end of a list it has hidden the failure of what is
// before, and true does that in its place.
func (all *steps) takeOut(s *step, i int) []edit.Edit {
	script := all.pass.File.Script(s.in)
	if script == nil {
		return nil
	}
	k := slices.IndexFunc(script.Statements, func(st *shell.Statement) bool {
		return st.Plain && st.Commands[0].Span == s.commands[i].Span
	})
	if k < 0 {
		return nil
	}
	st := script.Statements[k]
	last := k == len(script.Statements)-1
	switch {
	case st.Joiner == "&&" && all.bare(st.Separator):
		return []edit.Edit{{Span: edit.Span{Start: st.Separator.Start, End: st.Span.End}}}
	case st.Joiner == "||" || st.Joiner == "&" || st.Joiner == "&&":
	case last && k > 0:
		return []edit.Edit{{Span: st.Span, New: "true"}}
	case !last:
		next := script.Statements[k+1]
		if next.Joiner != "||" && next.Joiner != "&" && all.bare(next.Separator) {
			return []edit.Edit{{Span: edit.Span{Start: st.Span.Start, End: next.Span.Start}}}
		}
	}
	return nil
}

// bare reports that there is nothing but white space, the escapes of continued
// lines and the separator itself: no comments.
func (all *steps) bare(separator edit.Span) bool {
	text := all.pass.File.Text(separator)
	return text != "" && strings.Trim(text, " \t\r\n\\`&;") == ""
}
