package base

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// contents are the files whose content rules ask for: who the users are, which
// packages are installed, which distribution it is.
var contents = []string{
	"etc/passwd", "etc/group", "etc/os-release", "usr/lib/os-release",
	"var/lib/dpkg/status", "lib/apk/db/installed", "usr/lib/apk/db/installed",
	"var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/Packages.db", "usr/lib/sysimage/rpm/Packages.db",
}

// contentBytes is the largest of them that is kept.
const contentBytes = 64 << 20

// keeper keeps these files.
var keeper = image.Visitor{
	Name:  "lint/1",
	Wants: func(f *image.File) bool { return f.Size <= contentBytes && slices.Contains(contents, f.Path) },
	Read: func(_ *image.File, content io.Reader) ([]byte, error) {
		data, err := io.ReadAll(content)
		if data == nil {
			data = []byte{} // read, and empty
		}
		return data, err
	},
}

// flatten makes one table of an image's layers: what is live in it.
func flatten(img *image.Image) image.Table {
	stacked := image.Stack(img.Layers)
	kept := map[*image.File][]byte{}
	for _, layer := range img.Layers {
		for _, note := range layer.Notes[keeper.Name] {
			kept[&layer.Files[note.File]] = note.Data
		}
	}
	out := image.Table{Files: []image.File{}, Notes: map[string][]image.Note{keeper.Name: {}}}
	for e := range stacked.All() {
		f := image.File{Path: e.Path, Type: image.Dir, Mode: 0o755}
		if e.File != nil {
			f = *e.File
		}
		if f.Type == image.HardLink && e.Content != nil {
			f = *e.Content
			f.Path = e.Path
		}
		if data, ok := kept[e.Content]; ok && e.Content != nil {
			out.Notes[keeper.Name] = append(out.Notes[keeper.Name], image.Note{File: len(out.Files), Data: data})
		}
		out.Files = append(out.Files, f)
	}
	return out
}

// rootfs is the root file system of an image, as a table has it.
type rootfs struct {
	files map[string]*image.File
	data  map[string][]byte
}

var _ fs.ReadLinkFS = (*rootfs)(nil)

func newRootfs(t image.Table) *rootfs {
	r := &rootfs{files: make(map[string]*image.File, len(t.Files)), data: map[string][]byte{}}
	for i := range t.Files {
		r.files[t.Files[i].Path] = &t.Files[i]
	}
	for _, note := range t.Notes[keeper.Name] {
		if note.File < len(t.Files) {
			r.data[t.Files[note.File].Path] = note.Data
		}
	}
	return r
}

// Lstat is fs.ReadLinkFS. What is behind a link isn't found, and isn't absent.
func (r *rootfs) Lstat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrInvalid}
	}
	if f := r.files[name]; f != nil {
		return info{f}, nil
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if f := r.files[dir]; f != nil && f.Type == image.Symlink {
			return nil, unknownFile("lstat", name, errors.New("a link leads there"))
		}
	}
	return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
}

// ReadLink is fs.ReadLinkFS.
func (r *rootfs) ReadLink(name string) (string, error) {
	st, err := r.Lstat(name)
	if err != nil {
		return "", err
	}
	if st.Mode().Type() != fs.ModeSymlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return r.files[name].Link, nil
}

// Open is fs.FS, and opens what the keeper keeps.
func (r *rootfs) Open(name string) (fs.File, error) {
	st, err := r.Lstat(name)
	if err != nil {
		return nil, err
	}
	data, ok := r.data[name]
	if !ok {
		return nil, unknownFile("open", name, errors.New("what is in it was not kept"))
	}
	return &file{st, bytes.NewReader(data)}, nil
}

type file struct {
	info fs.FileInfo
	*bytes.Reader
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (*file) Close() error                 { return nil }

type info struct{ f *image.File }

func (i info) Name() string       { return path.Base(i.f.Path) }
func (i info) Size() int64        { return i.f.Size }
func (i info) Mode() fs.FileMode  { return i.f.FileMode() }
func (i info) ModTime() time.Time { return i.f.Time() }
func (i info) IsDir() bool        { return i.f.Type == image.Dir }
func (i info) Sys() any           { return nil }

// String shows the file in a test that fails.
func (i info) String() string { return strings.Join([]string{i.Mode().String(), i.f.Path}, " ") }
