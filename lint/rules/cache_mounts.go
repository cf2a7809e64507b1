package rules

import (
	"regexp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/effect"
)

// cacheMount is a cache mount of a RUN with the flag that it is written as.
type cacheMount struct {
	effect.Mount
	flag dockerfile.Flag
}

// cacheMounts are the cache mounts of a RUN whose place is known.
func cacheMounts(p *lint.Pass, in *dockerfile.Instruction) []cacheMount {
	flags := slices.DeleteFunc(slices.Clone(in.Flags), func(f dockerfile.Flag) bool { return f.Name != "mount" })
	var list []cacheMount
	for i, m := range mounts(p, in) {
		if m.Kind == "cache" && m.Target != "" {
			list = append(list, cacheMount{m, flags[i]})
		}
	}
	return list
}

// has reports that the mount is given one of the fields.
func (m cacheMount) has(names ...string) bool {
	return slices.ContainsFunc(strings.Split(m.flag.Value, ","), func(field string) bool {
		name, _, _ := strings.Cut(field, "=")
		return slices.Contains(names, strings.ToLower(strings.TrimSpace(name)))
	})
}

var targetField = regexp.MustCompile(`(?i)[=,](?:target|dst|destination)=([^,\s"'\\]+)`)

// place is where the mount's target is written; ok is false where that isn't
// one plain word.
func (m cacheMount) place(f *dockerfile.File) (span edit.Span, ok bool) {
	text := f.Text(m.flag.Span)
	found := targetField.FindAllStringSubmatchIndex(text, -1)
	if len(found) != 1 || strings.ContainsAny(text, "\"'\n") {
		return edit.Span{}, false
	}
	return edit.Span{Start: m.flag.Span.Start + found[0][2], End: m.flag.Span.Start + found[0][3]}, true
}

// add puts fields behind the mount's target.
func (m cacheMount) add(f *dockerfile.File, fields string) ([]edit.Edit, bool) {
	at, ok := m.place(f)
	return []edit.Edit{{Span: edit.Span{Start: at.End, End: at.End}, New: "," + fields}}, ok
}
