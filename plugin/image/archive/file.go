package archive

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// File is an image in an archive on disk.
type File struct {
	file    *os.File
	ref     string
	members map[string]member // nil where the archive is compressed
}

var _ image.Source = (*File)(nil)

// member is where a file of the archive is; a link has the name it leads to.
type member struct {
	offset, size int64
	link         string
}

// Open opens an archive for the image that ref names: by tag, by full name or
// by digest. An empty ref is the only image. An archive that is compressed as a
// whole is read as a stream each time.
func Open(name, ref string) (*File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	f := &File{file: file, ref: ref}
	if err := f.scan(); err != nil {
		file.Close()
		return nil, fmt.Errorf("read the archive %s: %w", name, err)
	}
	return f, nil
}

// scan notes where the archive's files are, without reading them.
func (f *File) scan() error {
	start := make([]byte, 4)
	if _, err := f.file.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if image.Compressed(start) {
		return nil
	}
	f.members = map[string]member{}
	archive := tar.NewReader(f.file)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not a tar archive, or a damaged one: %w", err)
		}
		if len(f.members) == maxMembers {
			return fmt.Errorf("it has over %d files", maxMembers)
		}
		at, err := f.file.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		m := member{offset: at, size: h.Size}
		switch h.Typeflag {
		case tar.TypeReg:
		case tar.TypeSymlink, tar.TypeLink:
			m.link = linked(h)
		default:
			continue
		}
		f.members[path.Clean(h.Name)] = m
	}
}

// linked is the file that a link in the archive leads to. Docker Engines before
// 25 write a layer that two images share once, and link to it.
func linked(h *tar.Header) string {
	if h.Typeflag == tar.TypeLink {
		return path.Clean(h.Linkname)
	}
	return path.Join(path.Dir(h.Name), h.Linkname)
}

// Read reads the image.
func (f *File) Read(ctx context.Context, platform string, w *image.Walker) (*image.Image, error) {
	var img *image.Image
	var err error
	if f.members != nil {
		img, err = read(ctx, f, f.ref, platform, w.Start())
	} else {
		img, err = f.readCompressed(ctx, platform, w)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f, err)
	}
	return img, nil
}

func (f *File) readCompressed(ctx context.Context, platform string, w *image.Walker) (*image.Image, error) {
	info, err := f.file.Stat()
	if err != nil {
		return nil, err
	}
	plain, err := image.Decompress(bufio.NewReader(io.NewSectionReader(f.file, 0, info.Size())))
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	return readStream(ctx, plain, f.ref, platform, w.Start())
}

func (f *File) open(name string) (io.ReadCloser, error) {
	for range maxLinks {
		m, ok := f.members[name]
		switch {
		case !ok:
			return nil, notThere(name)
		case m.link == "":
			return section{io.NewSectionReader(f.file, m.offset, m.size)}, nil
		}
		name = m.link
	}
	return nil, fmt.Errorf("%s in the archive is a link that leads nowhere", name)
}

// section is a part of the file. The layers are read side by side, each by
// its own section.
type section struct{ *io.SectionReader }

func (section) Close() error { return nil }

func (f *File) tables(ctx context.Context, w *image.Walk, layers []layerFile) ([]image.Table, error) {
	blobs := make([]image.Blob, len(layers))
	for i, l := range layers {
		blobs[i] = image.Blob{
			Digest: blobDigest(l.name), Size: f.members[l.name].size, Annotations: l.annotations,
			Open: func(context.Context) (io.ReadCloser, error) { return f.open(l.name) },
		}
	}
	return w.Layers(ctx, blobs)
}

// String is the source as it is typed.
func (f *File) String() string {
	if f.ref != "" {
		return "archive:" + f.file.Name() + ":" + f.ref
	}
	return "archive:" + f.file.Name()
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }
