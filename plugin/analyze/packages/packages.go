// Package packages finds what package managers have installed in an image. One
// file is one manager; list.go puts together what they wrote down. rpmdb reads
// RPM's databases.
package packages

import (
	"encoding/json"
	"io"
	"path"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// manager is a package manager, by the records that it keeps of what it has
// installed. One file is one manager.
type manager struct {
	kind    string // the type of its package URLs: "deb"
	version string // of what read gives; it changes with it
	// wants tells a file that has records of packages, by its entry.
	wants func(*image.File) bool
	// read reads such a file. What it can't make sense of it leaves out.
	read func(f *image.File, content io.Reader) ([]record, error)
}

// managers are all that are known.
var managers = []*manager{dpkg, apk, rpm, npm, python, golang, java}

// record is a package as its manager has it, or the list of a package's files where
// that is a file of its own: then it has no name.
type record struct {
	Name    string `json:",omitempty"` // as in a package URL: "@types/node", "org.slf4j/slf4j-api"
	Version string `json:",omitempty"`
	// Bytes are what its files take by the record's own word.
	Bytes int64 `json:",omitempty"`
	// Key is under which its list of files is kept; "" where there is no list
	// but Files, or Folder.
	Key   string   `json:",omitempty"`
	Files []string `json:",omitempty"` // from the image's root, with or without a slash in front
	// Folder has all its files and no others, but for packages inside it.
	Folder string `json:",omitempty"`
}

// recordBytes is the longest file of records that is read.
const recordBytes = 64 << 20

// fileList are paths that were put together of a folder and a name. A long folder before
// many short names would take more memory than any list that a manager writes.
type fileList struct {
	paths []string
	bytes int
}

// add adds a path; false where the list is full.
func (l *fileList) add(elements ...string) bool {
	name := path.Join(elements...)
	if l.bytes += len(name); l.bytes > recordBytes {
		return false
	}
	l.paths = append(l.paths, name)
	return true
}

// Visitors read the records of all managers as layers flow by.
func Visitors() []image.Visitor {
	var out []image.Visitor
	for _, m := range managers {
		out = append(out, m.visitor())
	}
	return out
}

// visitor reads records as layers flow by.
func (m *manager) visitor() image.Visitor {
	return image.Visitor{
		Name:  m.kind + "/" + m.version,
		Wants: m.wants,
		Read: func(f *image.File, content io.Reader) ([]byte, error) {
			found, err := m.read(f, content)
			if err != nil || len(found) == 0 {
				return nil, err
			}
			return json.Marshal(found)
		},
	}
}

// byPath wants files of records by their path.
func byPath(is func(name string) bool) func(*image.File) bool {
	return func(f *image.File) bool { return f.Size <= recordBytes && is(f.Path) }
}

// whole reads files of records as a whole.
func whole(parse func(name string, content []byte) []record) func(*image.File, io.Reader) ([]record, error) {
	return func(f *image.File, content io.Reader) ([]record, error) {
		raw, err := io.ReadAll(content)
		if err != nil {
			return nil, err
		}
		return parse(f.Path, raw), nil
	}
}

// stanzaFields are the fields of a stanza, each on a line of its own. Lines that
// continue a field are left out.
func stanzaFields(stanza, separator string) map[string]string {
	fields := map[string]string{}
	for line := range strings.SplitSeq(stanza, "\n") {
		key, value, ok := strings.Cut(line, separator)
		if _, seen := fields[key]; ok && !seen && !strings.HasPrefix(key, " ") {
			fields[key] = strings.TrimSpace(value)
		}
	}
	return fields
}

// nodePackage is the folder of the package that a path is in, of those that npm
// installs: the innermost one.
func nodePackage(name string) (folder string, ok bool) {
	const modules = "node_modules/"
	i := strings.LastIndex(name, modules)
	if i < 0 || i > 0 && name[i-1] != '/' {
		return "", false
	}
	i += len(modules)
	parts := strings.SplitN(name[i:], "/", 3)
	if !strings.HasPrefix(parts[0], "@") {
		return name[:i] + parts[0], len(parts) > 1
	}
	if len(parts) < 3 {
		return "", false
	}
	return path.Join(name[:i], parts[0], parts[1]), true
}
