package lint

import (
	"cmp"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// assumed is the minor version of the Dockerfile syntax that a builder is taken to
// read of which a file shows nothing: that of Docker Engine 20.10, the oldest with
// BuildKit for everybody.
const assumed = 2

// newest is more than all versions.
const newest = math.MaxInt

// part is a part of the Dockerfile syntax that came later: with the minor version
// of docker/dockerfile:1, and where that was earlier, of its labs channel.
type part struct {
	name        string
	since, labs int
}

// parts are those that fixes write, by the flag that brings them; "" are heredocs.
// Source: BuildKit's docs/reference.md and the release notes of its dockerfile/1.x.
var parts = map[string]part{
	"":         {"heredocs", 4, 3},
	"mount":    {"RUN --mount", 2, 2},
	"chmod":    {"COPY --chmod", 2, 2},
	"link":     {"COPY --link", 4, 4},
	"checksum": {"ADD --checksum", 6, 5},
	"exclude":  {"COPY --exclude", 19, 7},
	"parents":  {"COPY --parents", 20, 7},
}

// partsIn are the parts that a file uses.
func partsIn(f *dockerfile.File) map[string]part {
	used := map[string]part{}
	for _, in := range f.Instructions {
		for t := in; t != nil; t = t.Trigger {
			if len(t.Heredocs) > 0 {
				used[""] = parts[""]
			}
			for _, flag := range t.Flags {
				if p, ok := parts[flag.Name]; ok {
					used[flag.Name] = p
				}
			}
		}
	}
	return used
}

// reader is what is known of the frontend that reads a file.
type reader struct {
	minor int    // version 1.minor at least
	labs  bool   // of the labs channel
	says  string // the syntax line, where it names a version
}

func readerOf(f *dockerfile.File, fc facts.Context) reader {
	r := reader{minor: assumed}
	if d, ok := f.Syntax(); ok {
		r = named(d.Value)
	}
	if fc.NewestSyntax && r.says == "" {
		r.minor = newest
	}
	for _, p := range partsIn(f) {
		if !r.knows(p) {
			r.minor = p.since
		}
	}
	return r
}

var syntaxVersion = regexp.MustCompile(`^1\.(\d+)(?:\.\d+)*(-labs)?$`)

// named is the reader that a syntax line names. A tag without a minor version moves
// on to the newest.
func named(line string) reader {
	ref, _, _ := strings.Cut(line, " ")
	ref, _, pinned := strings.Cut(ref, "@")
	repository, tag, tagged := strings.Cut(ref, ":")
	switch strings.TrimPrefix(repository, "docker.io/") {
	case "docker/dockerfile", "docker/dockerfile-upstream":
	default:
		if path.Base(repository) == "imgmgr-frontend" {
			return reader{minor: newest}
		}
		return reader{minor: assumed}
	}
	v := syntaxVersion.FindStringSubmatch(tag)
	switch {
	case v != nil:
		minor, err := strconv.Atoi(v[1])
		if err != nil {
			return reader{minor: newest}
		}
		return reader{minor, v[2] != "", ref}
	case strings.HasSuffix(tag, "experimental"):
		return reader{minor: assumed, says: ref} // the labs channel of before 1.2
	case pinned && !tagged:
		return reader{minor: assumed}
	}
	return reader{minor: newest}
}

func (r reader) knows(p part) bool { return r.minor >= p.since || r.labs && r.minor >= p.labs }

// maybeBrings tells from a fix's words alone whether it could bring a part that a
// reader doesn't know. Whether it does, the parser has to say.
func maybeBrings(fix *Fix, r reader) bool {
	for name, p := range parts {
		mark := "--" + name
		if name == "" {
			mark = "<<"
		}
		if !r.knows(p) && slices.ContainsFunc(fix.Edits, func(e edit.Edit) bool { return strings.Contains(e.New, mark) }) {
			return true
		}
	}
	return false
}

// withSyntax judges a fix by the syntax that it brings into the file: there is none
// where its frontend is known not to read that, for a reason, and it is Unsafe where
// that isn't known.
func withSyntax(f *dockerfile.File, fc facts.Context, fix *Fix) (*Fix, string) {
	if !maybeBrings(fix, reader{}) { // most fixes bring nothing, and are through here
		return fix, ""
	}
	reader := readerOf(f, fc)
	if !maybeBrings(fix, reader) || reader.says == "" && fix.Safety <= Unsafe {
		return fix, "" // known to be read, or doubted already
	}
	src, err := touched(f, fix.Edits)
	if err != nil {
		return fix, "" // whoever makes it says so
	}
	fixed, err := dockerfile.Parse(f.Name, src)
	if err != nil {
		return fix, ""
	}
	var latest part
	for _, p := range partsIn(fixed) {
		if !reader.knows(p) && cmp.Or(cmp.Compare(p.since, latest.since), cmp.Compare(p.name, latest.name)) > 0 {
			latest = p
		}
	}
	switch {
	case latest == part{}:
		return fix, ""
	case reader.says != "":
		return nil, reader.says + " knows no " + latest.name
	}
	doubted := *fix
	doubted.Safety = Unsafe
	doubted.Doubt = "nothing in the file shows that its builder knows " + latest.name + ", as # syntax=docker/dockerfile:1 on top would"
	return &doubted, ""
}

// touched is what edits leave of a file from the first instruction that they touch to
// the last. These are read alone as in the whole, but for the directives on top.
func touched(f *dockerfile.File, edits []edit.Edit) ([]byte, error) {
	span := edit.Span{Start: len(f.Src)}
	if len(f.Directives) > 0 {
		span = edit.Span{End: len(f.Src)}
	}
	widen := func(s edit.Span) {
		span.Start, span.End = min(span.Start, s.Start), max(span.End, s.End)
	}
	for _, e := range edits {
		widen(e.Span)
	}
	for _, in := range f.Instructions {
		if in.Span.Start <= span.End && span.Start <= in.Span.End {
			widen(in.Span)
		}
	}
	moved := slices.Clone(edits)
	for i := range moved {
		moved[i].Span.Start -= span.Start
		moved[i].Span.End -= span.Start
	}
	return edit.Apply(f.Src[span.Start:span.End], moved)
}
