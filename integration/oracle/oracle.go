// Package oracle decides whether a rewritten Dockerfile builds the same image.
//
// A Dockerfile is built as it is (A) and rewritten (B), and where these differ as
// it is once more (A′). What differs between A and A′ is noise of that build: logs,
// caches that carry a date, random names. B must equal A outside of that noise and outside of what
// the rewrite declared that the image may lack, its drops. Compared are, of
// every path, type, mode, owner, size, content, link target, device and
// extended attributes, and the whole image configuration with its history.
// Not compared are times, how the files are spread over layers, and whether
// two equal files are hard links of each other.
//
// The package is pure: Judge takes trees and gives a verdict. Only Read, in
// read.go, goes to a registry.
package oracle

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Entry is one path of an image's root file system.
type Entry struct {
	Type     string      // "file", "dir", "symlink", "fifo", "char", "block"
	Mode     fs.FileMode // permission, setuid, setgid and sticky bits only
	UID, GID int
	Size     int64  // bytes of a file's content
	Digest   string // of a file's content, "sha256:..."
	Link     string // a symlink's target
	Device   string // "major:minor" of a device
	Xattrs   map[string]string
}

// Tree is a root file system: absolute, clean paths to what is there, with
// whiteouts applied.
type Tree map[string]Entry

// Config is an image configuration as flat names and values, such as
// "config.Env[0]". What differs between any two builds is not in it: times and
// layer digests. The history is apart.
type Config map[string]string

// Image is what an image is, as far as its user can tell.
type Image struct {
	Tree   Tree
	Config Config
	// History is what made each layer or setting, oldest first, as docker
	// history shows it.
	History []string
}

// Kind names what differs at a path or in the configuration.
type Kind string

// The kinds of differences. Missing and Extra are about the second of the two
// images; what is missing or extra as a whole has no other difference.
const (
	Missing Kind = "missing"
	Extra   Kind = "extra"
	Type    Kind = "type"
	Mode    Kind = "mode"
	Owner   Kind = "owner"
	Content Kind = "content" // size or digest
	Link    Kind = "link"
	Device  Kind = "device"
	Xattr   Kind = "xattr"
	Setting Kind = "setting" // of the configuration
)

// Difference is one thing in which two images differ.
type Difference struct {
	Path string // a path of the tree, or a name of the configuration
	Kind Kind
	A, B string // how it is in either, for people
}

func (d Difference) String() string {
	switch d.Kind {
	case Missing:
		return fmt.Sprintf("%s: missing (was %s)", d.Path, d.A)
	case Extra:
		return fmt.Sprintf("%s: extra (%s)", d.Path, d.B)
	}
	return fmt.Sprintf("%s: %s: %s, was %s", d.Path, d.Kind, d.B, d.A)
}

// Diff lists in which paths b differs from a, in the order of the paths.
func Diff(a, b Tree) []Difference {
	var out []Difference
	for _, path := range union(a, b) {
		before, inA := a[path]
		after, inB := b[path]
		switch {
		case !inB:
			out = append(out, Difference{Path: path, Kind: Missing, A: before.String()})
		case !inA:
			out = append(out, Difference{Path: path, Kind: Extra, B: after.String()})
		default:
			out = append(out, diffEntry(path, before, after)...)
		}
	}
	return out
}

// diffEntry compares one path that both have. Where the types differ, the
// rest means nothing.
func diffEntry(path string, a, b Entry) []Difference {
	if a.Type != b.Type {
		return []Difference{{path, Type, a.String(), b.String()}}
	}
	var out []Difference
	compare := func(kind Kind, a, b string) {
		if a != b {
			out = append(out, Difference{path, kind, a, b})
		}
	}
	if a.Type != "symlink" { // a symlink's mode means nothing
		compare(Mode, a.Mode.String(), b.Mode.String())
	}
	compare(Owner, fmt.Sprintf("%d:%d", a.UID, a.GID), fmt.Sprintf("%d:%d", b.UID, b.GID))
	compare(Content, a.content(), b.content())
	compare(Link, a.Link, b.Link)
	compare(Device, a.Device, b.Device)
	compare(Xattr, xattrs(a.Xattrs), xattrs(b.Xattrs))
	return out
}

// DiffConfig lists in which settings b differs from a.
func DiffConfig(a, b Config) []Difference {
	var out []Difference
	for _, name := range union(a, b) {
		before, inA := a[name]
		after, inB := b[name]
		switch {
		case !inB:
			out = append(out, Difference{Path: name, Kind: Missing, A: before})
		case !inA:
			out = append(out, Difference{Path: name, Kind: Extra, B: after})
		case before != after:
			out = append(out, Difference{name, Setting, before, after})
		}
	}
	return out
}

// DiffHistory lists which steps of a are not in b at the same place.
func DiffHistory(a, b []string) []Difference {
	return DiffConfig(numbered(a), numbered(b))
}

func numbered(steps []string) Config {
	c := Config{}
	for i, step := range steps {
		c["history["+strconv.Itoa(i)+"]"] = step
	}
	return c
}

// lostSteps lists which steps of a are nowhere in b.
func lostSteps(a, b []string) []Difference {
	left := map[string]int{}
	for _, step := range b {
		left[step]++
	}
	var out []Difference
	for i, step := range a {
		if left[step]--; left[step] < 0 {
			out = append(out, Difference{Path: "history[" + strconv.Itoa(i) + "]", Kind: Missing, A: step})
		}
	}
	return out
}

// String describes an entry to people.
func (e Entry) String() string {
	switch e.Type {
	case "file":
		return fmt.Sprintf("file of %d bytes", e.Size)
	case "symlink":
		return "symlink to " + e.Link
	}
	return e.Type
}

func (e Entry) content() string {
	if e.Type != "file" {
		return ""
	}
	return fmt.Sprintf("%d bytes %s", e.Size, e.Digest)
}

func xattrs(m map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "%s=%q ", name, m[name])
	}
	return b.String()
}

// union is the keys of both maps, sorted.
func union[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}
