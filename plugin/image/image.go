// Package image is what an image is: its configuration, its layers, and every
// file of every layer, read in one pass over each layer, wherever the image
// comes from.
//
// A [Source] knows one image in one place. Its Read describes the image and
// hands the layers' bytes to a [Walker], which unpacks them as they flow: only
// the table of a layer's files is kept, and of the files' contents what a
// [Visitor] makes of them. Nothing is written to disk but the tables in a
// [Cache], so that a layer is read once for all images and commands.
//
// [Stack] puts the layers on top of each other: which entries of which layer
// are live in the image, and which layer buried the others.
//
// The folders below are the places that images come from; package source picks
// one of them by what a user typed.
package image

import (
	"context"
	"io/fs"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Source is one image in one place: what a reference names in a registry or an
// engine, or what is in an archive. With several platforms it is several.
type Source interface {
	// Read describes the image of a platform ("linux/arm64/v8"); "" is this
	// machine's, or the only one there is. Each layer is read through the
	// walker once. A nil walker reads no layer: then their Files are nil.
	Read(ctx context.Context, platform string, w *Walker) (*Image, error)
	// String is the source as a user would type it: "registry:debian:12".
	String() string
	// Close gives back what the source holds. Attestations can't be read
	// after it; all else of an Image stays.
	Close() error
}

// Image is one image of one platform. It is not changed once it is read.
type Image struct {
	// Name is the reference that the source was asked for, or that it has for
	// its image: "docker.io/library/debian:12"; may be empty.
	Name string
	// Digest is the manifest's. It is empty where the source keeps none:
	// an Engine's classic store, an archive of docker save.
	Digest digest.Digest
	// ID is the digest of the configuration, which Docker calls the image ID.
	ID       digest.Digest
	Platform ocispec.Platform
	// Platforms are all that the index offers; empty without an index.
	Platforms []ocispec.Platform
	// Index is the digest of the index; empty without one.
	Index       digest.Digest
	Annotations map[string]string // the manifest's
	Config      dockerspec.DockerOCIImage
	RawConfig   []byte
	Layers      []*Layer // the lowest first
	// Attestations are what BuildKit attached to this image in the index:
	// the SBOM, the provenance.
	Attestations []Attestation
}

// Layer is one layer. Sizes are in bytes.
type Layer struct {
	// Digest is that of the layer's bytes as the source has them; empty
	// where it holds them uncompressed and unnamed.
	Digest digest.Digest
	// DiffID is the digest of the uncompressed tar, as the configuration has it.
	DiffID digest.Digest
	// Compressed is what the layer takes in a registry; 0 where the source
	// holds it uncompressed and so can't know.
	Compressed  int64
	Annotations map[string]string // the descriptor's
	// History is the entry of the configuration's history that made this
	// layer; nil where history and layers don't match.
	History *ocispec.History
	Table
}

// Table is what a walk gave of a layer.
type Table struct {
	// Tar is the length of the uncompressed tar, in bytes. Of a layer of which
	// only its table of contents was read, it is what the entries take at least.
	Tar int64
	// Files are the entries of the tar, in order; nil when not read.
	Files []File
	// Hashed says that File.Hash is set.
	Hashed bool
	// Notes are what each visitor wrote down, by Visitor.Name.
	Notes map[string][]Note
}

// Note is what a visitor wrote down about a file.
type Note struct {
	File int // index into Files
	Data []byte
}

// Type is what a file is.
type Type uint8

const (
	Regular Type = iota
	Dir
	Symlink
	HardLink // another name of the file at Link
	Char
	Block
	Fifo
	Whiteout // Path is deleted from the layers below
	Opaque   // all that is below Path is deleted from the layers below
)

// File is one entry of a layer.
type File struct {
	// Path has no slash in front and is clean: "usr/bin/env"; the root is ".".
	Path string
	// Link is where a symbolic link points, as it is written, or the Path
	// of the file that a hard link shares.
	Link string
	// Xattrs are extended attributes by name, "security.capability"; nil
	// for almost all files.
	Xattrs map[string]string
	// Size is that of the content in bytes, 0 for all but regular files.
	Size int64
	// Offset is where in the uncompressed tar the content begins; 0 where only
	// the layer's table of contents was read.
	Offset int64
	// ModTime is in seconds since 1970.
	ModTime int64
	// Hash is XXH3 (64 bits) of a regular file's content, where Table.Hashed.
	Hash     uint64
	UID, GID uint32
	// Major and Minor are those of a device.
	Major, Minor uint32
	// Mode is the lower twelve bits of a Unix mode: permissions, 0o4000 for
	// setuid, 0o2000 for setgid, 0o1000 for sticky.
	Mode uint16
	Type Type
}

// Bits of File.Mode beside the permissions.
const (
	Setuid = 0o4000
	Setgid = 0o2000
	Sticky = 0o1000
)

// FileMode is the mode and type as Go has them.
func (f *File) FileMode() fs.FileMode {
	mode := fs.FileMode(f.Mode) & fs.ModePerm
	for _, bit := range []struct {
		unix uint16
		mode fs.FileMode
	}{{Setuid, fs.ModeSetuid}, {Setgid, fs.ModeSetgid}, {Sticky, fs.ModeSticky}} {
		if f.Mode&bit.unix != 0 {
			mode |= bit.mode
		}
	}
	switch f.Type {
	case Dir:
		mode |= fs.ModeDir
	case Symlink:
		mode |= fs.ModeSymlink
	case Char:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	case Block:
		mode |= fs.ModeDevice
	case Fifo:
		mode |= fs.ModeNamedPipe
	case Regular, HardLink, Whiteout, Opaque:
	}
	return mode
}

// Time is ModTime as a time, in UTC.
func (f *File) Time() time.Time { return time.Unix(f.ModTime, 0).UTC() }

// Attestation is a statement in the in-toto format that is attached to an image.
type Attestation struct {
	// PredicateType says what it states: PredicateSPDX, PredicateSLSA02, …
	PredicateType string
	Descriptor    ocispec.Descriptor
	read          func(context.Context) ([]byte, error)
}

// Predicate types that BuildKit attaches.
const (
	PredicateSPDX   = "https://spdx.dev/Document"
	PredicateSLSA02 = "https://slsa.dev/provenance/v0.2"
	PredicateSLSA1  = "https://slsa.dev/provenance/v1"
)

// Statement reads the whole in-toto statement, as JSON. Its digest is verified.
func (a Attestation) Statement(ctx context.Context) ([]byte, error) { return a.read(ctx) }
