// Package rpmdb reads the databases in which RPM keeps what it has installed: that
// of SQLite (Fedora, RHEL 9) and RPM's own "ndb" (SUSE). They are read from memory,
// as they come out of a layer: libraries for it want a file on disk. What is
// damaged is an error, however it is damaged.
//
//	rpmdb.go   a package, and its header
//	sqlite.go  the blobs of a table of an SQLite file
//	ndb.go     the blobs of an ndb file
package rpmdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strings"
)

// Package is an installed package.
type Package struct {
	Name    string
	Version string // [epoch:]version-release
	Bytes   int64  // of its files, by its own word
	Files   []string
}

// Read reads a database. Public keys, which RPM keeps among the packages, are left
// out.
func Read(db []byte) ([]Package, error) {
	var headers [][]byte
	var err error
	switch {
	case bytes.HasPrefix(db, sqliteMagic):
		headers, err = sqliteBlobs(db, "Packages")
	case bytes.HasPrefix(db, ndbMagic):
		headers, err = ndbBlobs(db)
	default:
		return nil, errors.New("neither an SQLite database nor RPM's own")
	}
	if err != nil {
		return nil, err
	}
	var out []Package
	for i, h := range headers {
		p, err := parse(h)
		if err != nil {
			return nil, fmt.Errorf("package %d of %d: %w", i+1, len(headers), err)
		}
		if p.Name != "gpg-pubkey" {
			out = append(out, p)
		}
	}
	return out, nil
}

// Tags and types of a header: "Package Tags" and "Header" in RPM's manual.
const (
	tagName       = 1000
	tagVersion    = 1001
	tagRelease    = 1002
	tagEpoch      = 1003
	tagSize       = 1009
	tagDirIndexes = 1116
	tagBaseNames  = 1117
	tagDirNames   = 1118
	tagLongSize   = 5009

	entryBytes = 16 // tag, type, offset and count, big-endian
)

// header is a package's header: an index of tags, and the data that it points into.
type header struct {
	index, data []byte
}

var errDamaged = errors.New("its header is damaged")

// parse reads what is asked of a header.
func parse(blob []byte) (Package, error) {
	if len(blob) < 8 {
		return Package{}, errDamaged
	}
	entries, size := int64(binary.BigEndian.Uint32(blob)), int64(binary.BigEndian.Uint32(blob[4:]))
	if 8+entries*entryBytes+size > int64(len(blob)) {
		return Package{}, errDamaged
	}
	at := 8 + entries*entryBytes
	h := header{index: blob[8:at], data: blob[at : at+size]}
	p := Package{Name: h.text(tagName), Version: h.text(tagVersion) + "-" + h.text(tagRelease)}
	if p.Name == "" {
		return Package{}, errDamaged
	}
	if epoch := h.numbers(tagEpoch, 4); len(epoch) > 0 && epoch[0] > 0 {
		p.Version = fmt.Sprintf("%d:%s", epoch[0], p.Version)
	}
	for _, size := range [][]int64{h.numbers(tagSize, 4), h.numbers(tagLongSize, 8)} {
		if len(size) > 0 {
			p.Bytes = size[0]
		}
	}
	folders, names := h.texts(tagDirNames), h.texts(tagBaseNames)
	for i, folder := range h.numbers(tagDirIndexes, 4) {
		if i >= len(names) || folder >= int64(len(folders)) {
			return Package{}, errDamaged
		}
		p.Files = append(p.Files, path.Join(folders[folder], names[i]))
	}
	return p, nil
}

// find is the data from where a tag's begin, and how many there are.
func (h header) find(tag uint32) (data []byte, count int64) {
	for entry := h.index; len(entry) > 0; entry = entry[entryBytes:] {
		if binary.BigEndian.Uint32(entry) != tag {
			continue
		}
		offset := int64(binary.BigEndian.Uint32(entry[8:]))
		if offset > int64(len(h.data)) {
			return nil, 0
		}
		return h.data[offset:], int64(binary.BigEndian.Uint32(entry[12:]))
	}
	return nil, 0
}

// texts are strings that end with a zero each.
func (h header) texts(tag uint32) []string {
	data, count := h.find(tag)
	var out []string
	for range count {
		text, rest, ok := bytes.Cut(data, []byte{0})
		if !ok {
			break
		}
		out, data = append(out, string(text)), rest
	}
	return out
}

func (h header) text(tag uint32) string { return strings.Join(h.texts(tag), "") }

// numbers are big-endian, of 4 or 8 bytes.
func (h header) numbers(tag uint32, width int64) []int64 {
	data, count := h.find(tag)
	var out []int64
	for i := range min(count, int64(len(data))/width) {
		n := data[i*width : (i+1)*width]
		if width == 4 {
			out = append(out, int64(binary.BigEndian.Uint32(n)))
		} else {
			out = append(out, int64(binary.BigEndian.Uint64(n)))
		}
	}
	return out
}
