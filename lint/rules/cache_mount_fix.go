package rules

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// kept judges a cache whose content later commands need in place: it is mounted
// in every step that uses the tool or in none, and is not missed in the image.
func (all *steps) kept(s *step, w *want, v *verdict) {
	final := all.pass.File.Final(all.pass.Facts.Target)
	root := all.root(s.in.Stage)
	for _, st := range all.pass.File.Stages {
		if all.root(st) != root {
			continue
		}
		if st == final {
			v.less(lint.Safe, "the image is made from this stage, and would lack %s", w.cache.Path)
		}
	}
	for _, st := range all.pass.File.Stages {
		if _, ok := all.pass.File.BaseRef(st, all.pass.Facts.Args); !ok {
			v.less(lint.Safe, "whether FROM %s starts from this stage is not known", st.Base)
		}
	}
	for _, o := range all.list {
		if o != s && all.root(o.in.Stage) == root {
			all.keptBy(o, w, v)
		}
	}
}

// keptBy looks at one other step of the family. Where that would go without the
// mount, a mount here would take away what it needs.
func (all *steps) keptBy(o *step, w *want, v *verdict) {
	same := all.sameCache(o, w)
	switch {
	case o.opaque:
		v.block("a RUN that can't be read may need it")
	case same == nil:
		all.strangers(o, w, v)
	case same.cache.Path != w.cache.Path:
		v.block("another step has it in %s", same.cache.Path)
	default:
		if m := all.mounted(o, w.cache.Path); m != nil {
			if m.Kind != "cache" || m.ID != o.cacheID(same.cache) {
				v.block("another step has a mount of its own there")
			}
			return
		}
		if other := all.alone(o, same); other.blocked != "" {
			v.block("in another step %s", other.blocked)
		} else if other.safety < lint.BuildSafe {
			v.less(other.safety, "%s", other.doubt)
		}
	}
}

// sameCache is the same cache of the same tool as another step uses it.
func (all *steps) sameCache(o *step, w *want) *want {
	for _, other := range all.caches(o) {
		if other.use.Tool.Name == w.use.Tool.Name && other.cache.Name == w.cache.Name {
			return other
		}
	}
	return nil
}

// strangers looks at a step that wouldn't get the mount.
func (all *steps) strangers(o *step, w *want, v *verdict) {
	name := w.use.Tool.Name
	for i, c := range o.commands {
		u := o.uses[i]
		switch {
		case u != nil && u.Tool.Name == name && u.Kind&(ecosystem.Fetch|ecosystem.Build|ecosystem.Locate) != 0:
			v.block("%s in another step would be without it", u.Title)
		case (u == nil || u.Tool.Name != name && (u.Kind == 0 || u.Kind&ecosystem.Build != 0)) && !ecosystem.Inert(c) && !ecosystem.System(c):
			v.block("%s in another step may need it", cmp.Or(c.Name(), "a command"))
		}
	}
}

// override judges the stage that brings an override.
func (all *steps) override(s *step, o *ecosystem.Override, v *verdict) {
	f := all.pass.File
	if st := f.Stage(o.Stage); st != nil {
		if !strings.Contains(f.Text(stageSpan(st)), strings.TrimSuffix(stageText(f, o), f.Newline)) {
			v.block("the stage %s, which the fix would bring, is another one here", o.Stage)
		} else if st.Index >= s.in.Stage.Index {
			v.block("the stage %s comes too late", o.Stage)
		}
		return
	}
	if _, err := strconv.Atoi(all.pass.Facts.Target); err == nil || all.numbered() {
		v.block("a stage is named by its number, which a further stage would change")
	}
	if all.image(o.Stage) {
		v.block("%s is an image here, which the stage that the fix would bring hides", o.Stage)
	}
	if f.Newline != "\n" {
		v.less(lint.Safe, "the file has Windows line endings, which would be part of %s", o.File)
	}
}

// image reports that the file uses an image of that name, which a stage of the
// name would take the place of.
func (all *steps) image(name string) bool {
	return slices.ContainsFunc(all.pass.File.Instructions, func(in *dockerfile.Instruction) bool {
		for t := in; t != nil; t = t.Trigger {
			for _, flag := range t.Flags {
				for field := range strings.SplitSeq(flag.Name+"="+flag.Value, ",") {
					key, value, _ := strings.Cut(strings.TrimPrefix(field, "mount="), "=")
					if strings.EqualFold(strings.TrimSpace(key), "from") && strings.EqualFold(strings.Trim(value, `"' `), name) {
						return true
					}
				}
			}
		}
		return in.Name == "FROM" && len(in.Args) > 0 && strings.EqualFold(in.Args[0].Raw, name)
	})
}

// numbered reports that a COPY names a stage by its number.
func (all *steps) numbered() bool {
	return slices.ContainsFunc(all.pass.File.Instructions, func(in *dockerfile.Instruction) bool {
		for t := in; t != nil; t = t.Trigger {
			if from, ok := t.Flag("from"); ok {
				if _, err := strconv.Atoi(from.Value); err == nil {
					return true
				}
			}
		}
		return false
	})
}

func stageSpan(st *dockerfile.Stage) edit.Span {
	end := st.From.Span.End
	for _, in := range st.Instructions {
		end = in.Span.End
	}
	return edit.Span{Start: st.From.Span.Start, End: end}
}

// stageText is a stage that holds the file of an override and nothing else.
func stageText(f *dockerfile.File, o *ecosystem.Override) string {
	text := "FROM scratch AS " + o.Stage + "\nCOPY <<EOF " + o.File + "\n" + o.Content + "EOF\n"
	return strings.ReplaceAll(text, "\n", f.Newline)
}

// stageFor brings the stage of an override on top of the others; nil where it
// is there.
func (all *steps) stageFor(s *step, o *ecosystem.Override) *edit.Edit {
	f := all.pass.File
	if f.Stage(o.Stage) != nil {
		return nil
	}
	at := f.InsertAbove(f.Stages[0].From)
	return &edit.Edit{
		Span:   edit.Span{Start: at, End: at},
		New:    stageText(f, o) + f.Newline,
		Origin: s.in.Keyword, // what fails in it fails for this RUN
	}
}

// baseDigest is the beginning of the base image's digest; "" when it isn't
// known.
func (s *step) baseDigest() string {
	if s.state.Image == nil {
		return ""
	}
	_, digits, ok := strings.Cut(s.state.Image.Digest, ":")
	if !ok || len(digits) < 12 {
		return ""
	}
	return digits[:12]
}

// cacheID is the id of the mount: the cache's own, with what it must not be
// shared across.
func (s *step) cacheID(c ecosystem.Cache) string {
	id := c.ID
	if c.PerBase && s.baseDigest() != "" {
		id += "-" + s.baseDigest()
	}
	if c.Project != "" && plainPath("/"+c.Project) {
		id += "-" + c.Project
	}
	if c.Variables != "" {
		id += "-" + c.Variables
	}
	return id
}

// instead puts other words in the place of those that the cache asks to be
// others. A word that goes takes the space in front of it along.
func (all *steps) instead(w *want) []edit.Edit {
	var edits []edit.Edit
	for _, i := range w.cache.Instead {
		e := edit.Edit{Span: i.Word.Span, New: i.New}
		if i.New == "" {
			e.Start = all.gapBefore(w, i.Word).Start
		}
		edits = append(edits, e)
	}
	return edits
}

// unwritable says what stands against a mount where a word can't be another one.
func unwritable(i ecosystem.Instead) string {
	if i.New == "" {
		return i.Word.Value + " turns the cache off"
	}
	return "it takes " + i.New + " in the place of " + i.Word.Value
}

// gapBefore is what lies between a word of one of the commands and the word in
// front of it.
func (all *steps) gapBefore(w *want, word shell.Word) edit.Span {
	for _, u := range append([]*ecosystem.Use{w.use}, w.also...) {
		for i, other := range u.Command.Words {
			if i == 0 || other.Span != word.Span {
				continue
			}
			if before := u.Command.Words[i-1].Span.End; before <= word.Span.Start {
				return edit.Span{Start: before, End: word.Span.Start}
			}
		}
	}
	return edit.Span{Start: word.Span.Start, End: word.Span.Start}
}

// rewordable holds that the words that the cache asks to be others can be
// changed where they stand.
func (all *steps) rewordable(s *step, w *want, v *verdict) {
	for _, i := range w.cache.Instead {
		gap := all.pass.File.Text(all.gapBefore(w, i.Word))
		// White space and the escapes of continued lines, but no comments.
		if s.in.JSON || gap == "" || strings.Trim(gap, " \t\r\n\\`") != "" {
			v.block("%s", unwritable(i))
		}
	}
	if w.cache.Scratch != "" && !plainPath(w.cache.Scratch) {
		v.block("the path can't be written into a mount")
	}
}
