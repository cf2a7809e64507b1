package linttest

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/imgmgr/imgmgr/lint"
)

// Twins compares what BuildKit makes of a Dockerfile with what it makes of its
// rewrite, and returns the differences that the applied fixes don't declare. It
// is the cheap twin of the differential oracle: nothing is built.
//
// Every step of the original has to be in the rewrite, on the same chain. It may
// have further mounts, which are caches or nothing but what stands over a file;
// where a fix rewords, other words; where one reorders, another place, another
// working folder, an environment without variables that its words don't name, and
// a COPY without files that another one brings. What is more in the rewrite copies
// files of the context that the original copies, too.
func Twins(a, b *Lowered, applied []lint.Applied) []string {
	t := &twins{brought: map[string]bool{}, done: map[[2]*Step]string{}}
	for _, fix := range applied {
		t.reorders = t.reorders || fix.Reorders
		t.rewords += fix.Rewords
		t.links = t.links || fix.Rule == "CopyNotLinked"
		t.drops = append(t.drops, fix.Drops...)
	}
	var list []string
	if a.Config != b.Config {
		list = append(list, fmt.Sprintf("configuration is %s, was %s", b.Config, a.Config))
	}
	list = append(list, t.chain(a.Top, b.Top)...)
	return append(list, t.history(a.History, b.History)...)
}

type twins struct {
	reorders bool
	links    bool // a COPY may be a layer of its own
	rewords  int
	drops    []string
	brought  map[string]bool // names of files that a COPY of the rewrite brings
	done     map[[2]*Step]string
}

// between is the first difference of two file systems in how they are made; ""
// where they are made in the same way.
func (t *twins) between(a, b *Step) string {
	key := [2]*Step{a, b}
	if _, known := t.done[key]; !known {
		t.done[key] = strings.Join(t.chain(a, b), "; ")
	}
	return t.done[key]
}

// chain compares the steps that lead to a and to b.
func (t *twins) chain(a, b *Step) []string {
	original, rewritten := line(a), line(b)
	var list []string
	taken := map[*Step]bool{}
	for _, s := range rewritten {
		for _, src := range s.Sources {
			t.brought[path.Base(src)] = true
		}
	}
	at := 0 // in rewritten, where nothing is reordered
	for _, s := range original {
		twin := slices.IndexFunc(rewritten, func(o *Step) bool { return !taken[o] && t.step(s, o) == "" })
		if twin < 0 {
			list = append(list, "lost: "+s.String()+t.near(s, rewritten))
			continue
		}
		taken[rewritten[twin]] = true
		if twin < at && !t.reorders {
			list = append(list, "out of order: "+s.String())
		}
		at = twin + 1
	}
	for _, s := range rewritten {
		if !taken[s] && !(t.reorders && s.manifests(original)) {
			list = append(list, "new: "+s.String())
		}
	}
	return list
}

// near says why steps that look like s aren't its twin.
func (t *twins) near(s *Step, rewritten []*Step) string {
	for _, o := range rewritten {
		if o.Does == s.Does && slices.Equal(o.Words, s.Words) {
			return " (" + t.step(s, o) + ")"
		}
	}
	return ""
}

// step says in what b differs from a; "" where it is the same step.
func (t *twins) step(a, b *Step) string {
	if a.Does != b.Does || len(a.From) != len(b.From) {
		return "does something else"
	}
	if !slices.Equal(a.Words, b.Words) && (t.rewords == 0 || !shortened(a.Words, b.Words)) {
		return "has other words"
	}
	if why := t.excludes(a, b); why != "" {
		return why
	}
	if a.Linked != b.Linked && (a.Linked || !t.links) {
		return "is linked otherwise"
	}
	if a.Dir != b.Dir && !t.reorders {
		return "runs in " + b.Dir + ", not in " + a.Dir
	}
	for i := range a.From {
		if d := t.between(a.From[i], b.From[i]); d != "" {
			return "what it copies from: " + d
		}
	}
	if why := t.environment(a, b); why != "" {
		return why
	}
	return t.mounts(a.Mounts, b.Mounts)
}

// brought are words that fixes put into a command: apk's in place of --no-cache,
// apt's to clean the folder of the image and not the cache, what succeeds in the
// place of a clean-up that a script ends with, npm's to ask for versions, and
// pnpm's to run install scripts.
var brought = [...]string{"-U", "-o", "Dir::Cache=/var/cache/apt", "true", "--prefer-online", "--config.side-effects-cache=false"}

// excludes: what a COPY leaves out has to be left out in the original, too, or
// come with another COPY.
func (t *twins) excludes(a, b *Step) string {
	for _, left := range b.Excludes {
		if !slices.Contains(a.Excludes, left) && !(t.reorders && t.brought[path.Base(left)]) {
			return "leaves out " + left
		}
	}
	for _, left := range a.Excludes {
		if !slices.Contains(b.Excludes, left) {
			return "copies " + left
		}
	}
	return ""
}

// shortened reports that words of b are those of a, some of them left out or
// replaced: a flag that turned a cache off.
func shortened(a, b []string) bool {
	// An operator needs no space around it: "pip install --no-cache-dir&&make".
	apart := strings.NewReplacer("&", " & ", "|", " | ", ";", " ; ", "<", " < ", ">", " > ")
	have := strings.Fields(apart.Replace(strings.Join(a, " ")))
	for word := range strings.FieldsSeq(apart.Replace(strings.Join(b, " "))) {
		i := slices.Index(have, word)
		if i < 0 && !slices.Contains(brought[:], word) {
			return false
		}
		if i >= 0 {
			have = slices.Delete(have, i, i+1)
		}
	}
	return true
}

// environment: a moved step may lack variables, or have further ones, that its
// words don't name.
func (t *twins) environment(a, b *Step) string {
	words := strings.FieldsFunc(strings.Join(b.Words, " "), func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, pair := range [][2][]string{{a.Env, b.Env}, {b.Env, a.Env}} {
		for _, kv := range pair[0] {
			name, _, _ := strings.Cut(kv, "=")
			if !slices.Contains(pair[1], kv) && (!t.reorders || slices.Contains(words, name)) {
				return "has another " + name
			}
		}
	}
	return ""
}

// mounts: all of a, and besides those caches that the fixes declare or that have
// a folder of their own, and files over files.
func (t *twins) mounts(a, b []Mount) string {
	taken := make([]bool, len(b))
	for _, m := range a {
		i := slices.IndexFunc(b, func(o Mount) bool { return o.Kind == m.Kind && t.between(m.From, o.From) == "" })
		if i < 0 {
			return "lacks the mount at " + m.Target
		}
		taken[i] = true
	}
	for i, m := range b {
		switch {
		case taken[i]:
		case m.Cache != "" && strings.HasPrefix(m.Cache, "/imgmgr-") && (slices.Contains(t.drops, m.Target) || strings.HasPrefix(m.Target, "/run/imgmgr-")):
		case m.Tmpfs:
		case m.From != nil && m.From.Below == nil && strings.HasPrefix(m.From.Does, "file"):
		default:
			return "has a new mount at " + m.Target
		}
	}
	return ""
}

// history: the same lines but for the declared ones, and for those of new steps.
func (t *twins) history(a, b []string) []string {
	if !t.reorders && len(a) != len(b) {
		return []string{fmt.Sprintf("the history has %d lines, had %d", len(b), len(a))}
	}
	var lost []string
	rest := slices.Clone(b)
	for i, line := range a {
		at := slices.Index(rest, line)
		switch {
		case at < 0:
			lost = append(lost, "lost from the history: "+line)
		case !t.reorders && b[i] != line:
			lost = append(lost, "out of order in the history: "+line)
		default:
			rest = slices.Delete(rest, at, at+1)
		}
	}
	if len(lost) <= t.rewords {
		return nil
	}
	return lost
}

// line are the steps that lead to s, first to last.
func line(s *Step) []*Step {
	var list []*Step
	for ; s != nil; s = s.Below {
		list = append(list, s)
	}
	slices.Reverse(list)
	return list
}

// manifests reports a COPY of files of the context, where one of the original
// steps copies from there, too.
func (s *Step) manifests(original []*Step) bool {
	local := func(o *Step) bool { return o != nil && o.Does == "local://context" }
	return len(s.From) > 0 && !slices.ContainsFunc(s.From, func(o *Step) bool { return !local(o) }) &&
		slices.ContainsFunc(original, func(o *Step) bool { return slices.ContainsFunc(o.From, local) })
}

func (s *Step) String() string {
	if len(s.Words) > 0 {
		return "RUN " + strings.Join(s.Words, " ")
	}
	return s.Does
}
