package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// Stream is an image in an archive that can be read once, from its start.
type Stream struct {
	in   io.Reader
	name string
	ref  string
	done bool
}

var _ image.Source = (*Stream)(nil)

// NewStream makes a source of an archive that flows in, which may be compressed;
// name is what it is called, "-" for standard input. Closing the source leaves
// the reader open.
func NewStream(in io.Reader, name, ref string) *Stream { return &Stream{in: in, name: name, ref: ref} }

// Read reads the archive to its end. It can be called once.
func (s *Stream) Read(ctx context.Context, platform string, w *image.Walker) (*image.Image, error) {
	if s.done {
		return nil, fmt.Errorf("read %s: a stream can be read only once", s.name)
	}
	s.done = true
	plain, err := image.Decompress(bufio.NewReaderSize(s.in, 256<<10))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.name, err)
	}
	defer plain.Close()
	img, err := readStream(ctx, plain, s.ref, platform, w.Start())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.name, err)
	}
	return img, nil
}

// String is the source's name.
func (s *Stream) String() string { return s.name }

// Close does nothing.
func (*Stream) Close() error { return nil }

// flow is what is kept of an archive that flows by. Manifests may come after
// the layers, so every layer is read, and every document kept.
type flow struct {
	walk      *image.Walk
	documents map[string][]byte
	layers    map[string]layer
	links     map[string]string
	kept      int // bytes of documents
}

// layer is what the walk of a layer gave. An error only counts if the image has
// that layer.
type layer struct {
	table image.Table
	err   error
}

func readStream(ctx context.Context, in io.Reader, ref, platform string, w *image.Walk) (*image.Image, error) {
	f := &flow{walk: w, documents: map[string][]byte{}, layers: map[string]layer{}, links: map[string]string{}}
	archive := tar.NewReader(in)
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && n == maxMembers {
			err = fmt.Errorf("it has over %d files", maxMembers)
		}
		if err == nil {
			err = f.add(ctx, h, archive)
		}
		if err != nil {
			return nil, fmt.Errorf("not a tar archive, or a damaged one: %w", err)
		}
	}
	// What comes after the archive is read, so that the writer can end.
	if _, err := io.Copy(io.Discard, in); err != nil {
		return nil, err
	}
	return read(ctx, f, ref, platform, w)
}

// add reads one file of the archive.
func (f *flow) add(ctx context.Context, h *tar.Header, content io.Reader) error {
	name := path.Clean(h.Name)
	switch h.Typeflag {
	case tar.TypeSymlink, tar.TypeLink:
		f.forget(name)
		f.links[name] = linked(h)
		return nil
	case tar.TypeReg:
		f.forget(name)
	default:
		return nil
	}
	start := make([]byte, 512)
	n, err := io.ReadFull(content, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	start = start[:n]
	whole := io.MultiReader(bytes.NewReader(start), content)
	if isLayer(start) {
		f.read(ctx, name, h.Size, whole)
		return ctx.Err()
	}
	if h.Size > maxDocument || f.kept+int(h.Size) > maxKept {
		return nil // if it is needed, it isn't there
	}
	f.kept += int(h.Size)
	f.documents[name], err = io.ReadAll(whole)
	return err
}

// forget makes room for another file of that name: the last one counts.
func (f *flow) forget(name string) {
	f.kept -= len(f.documents[name])
	delete(f.documents, name)
	delete(f.layers, name)
	delete(f.links, name)
}

// isLayer looks at the start of a file: layers are compressed, or have the
// magic of tar in their first header, or are empty and start with zeros.
func isLayer(start []byte) bool {
	const magicAt = 257
	return image.Compressed(start) ||
		len(start) >= magicAt+5 && string(start[magicAt:magicAt+5]) == "ustar" ||
		len(start) == 512 && !bytes.ContainsFunc(start, func(r rune) bool { return r != 0 })
}

// read reads a layer as it flows.
func (f *flow) read(ctx context.Context, name string, size int64, content io.Reader) {
	if f.walk == nil {
		return
	}
	table, err := f.walk.Layer(ctx, image.Blob{
		Digest: blobDigest(name), Size: size,
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(content), nil },
	})
	f.layers[name] = layer{table, err}
}

func (f *flow) open(name string) (io.ReadCloser, error) {
	data, ok := f.documents[f.follow(name)]
	if !ok {
		return nil, notThere(name)
	}
	return memory(data), nil
}

func (f *flow) follow(name string) string {
	for range maxLinks {
		next, ok := f.links[name]
		if !ok {
			break
		}
		name = next
	}
	return name
}

func (f *flow) tables(_ context.Context, w *image.Walk, layers []layerFile) ([]image.Table, error) {
	out := make([]image.Table, len(layers))
	if w == nil {
		return out, nil
	}
	for i, file := range layers {
		l, ok := f.layers[f.follow(file.name)]
		err := l.err
		if !ok {
			err = notThere(file.name)
		}
		if err != nil {
			return nil, fmt.Errorf("layer %d of %d: %w", i+1, len(layers), err)
		}
		out[i] = l.table
	}
	return out, nil
}
