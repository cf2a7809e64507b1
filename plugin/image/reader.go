package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/zeebo/xxh3"
)

// Names in layers that stand for deletions: "Representing Changes" in the OCI
// image specification. Other names that begin with aufs are left over from that
// file system's own bookkeeping, and no engine unpacks them.
const (
	whiteout = ".wh."
	aufs     = ".wh..wh."
	opaque   = ".wh..wh..opq"
)

// reader reads one layer.
type reader struct {
	walk     *Walk
	visitors []Visitor
	hash     bool

	tar    *tar.Reader
	sum    *xxh3.Hasher
	buffer []byte
	held   held      // reused for each file
	wanted []Visitor // reused for each file
	size   int64     // of all contents so far
	used   int64     // memory that the entries so far are charged with
	table  Table
}

// read reads the layer from its bytes. Verified says that they have the digest.
func (r *reader) read(ctx context.Context, b Blob, stream io.Reader) (_ Table, verified bool, err error) {
	in, err := r.walk.open(ctx, b, stream)
	if err != nil {
		return Table{}, false, err
	}
	defer in.close()
	r.tar, r.sum, r.buffer = tar.NewReader(in.plain()), xxh3.New(), make([]byte, 64<<10)
	r.table = Table{Files: []File{}, Hashed: r.hash, Notes: map[string][]Note{}}
	for _, v := range r.visitors {
		r.table.Notes[v.Name] = []Note{}
	}
	for {
		header, err := r.tar.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Table{}, false, fmt.Errorf("after %d entries: %w", len(r.table.Files), err)
		}
		if err := r.entry(header, in.offset()); err != nil {
			return Table{}, false, fmt.Errorf("entry %q: %w", clip(header.Name), err)
		}
	}
	r.table.Tar, verified, err = in.finish()
	return r.table, verified, err
}

// clip keeps hostile names out of long error messages.
func clip(name string) string {
	const most = 100
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}

// entry adds one entry of the tar to the table.
func (r *reader) entry(h *tar.Header, offset int64) error {
	f, ok, err := r.file(h)
	if err != nil || !ok {
		return err
	}
	f.Offset = offset
	if err := r.charge(&f); err != nil {
		return err
	}
	if f.Type == Regular {
		if err := r.content(&f); err != nil {
			return err
		}
	}
	r.table.Files = append(r.table.Files, f)
	return nil
}

// charge holds an entry against the limits.
func (r *reader) charge(f *File) error {
	// A sparse file may say that it is larger than the tar.
	if f.Size > r.walk.walker.Limits.LayerBytes-r.size {
		return tooLarge(r.walk.walker.Limits.LayerBytes)
	}
	r.size += f.Size
	n := weight(f)
	r.used += n
	return r.walk.use(n)
}

// file turns a tar header into an entry; false if it isn't one.
func (r *reader) file(h *tar.Header) (File, bool, error) {
	if most := r.walk.walker.Limits.PathBytes; max(len(h.Name), len(h.Linkname)) > most {
		return File{}, false, fmt.Errorf("its path or link is longer than %d bytes", most)
	}
	name, inside := clean(h.Name)
	if !inside {
		return File{}, false, errors.New("its path leads out of the image; no engine unpacks such a layer")
	}
	f := File{
		Path: name, Size: h.Size, ModTime: h.ModTime.Unix(), Mode: uint16(h.Mode & 0o7777),
		UID: uint32(h.Uid), GID: uint32(h.Gid),
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		f.Type = Regular
	case tar.TypeDir:
		f.Type = Dir
	case tar.TypeSymlink:
		f.Type, f.Link = Symlink, strings.Clone(h.Linkname)
	case tar.TypeLink:
		f.Type = HardLink
		f.Link, _ = clean(h.Linkname)
	case tar.TypeChar, tar.TypeBlock:
		f.Type = map[byte]Type{tar.TypeChar: Char, tar.TypeBlock: Block}[h.Typeflag]
		f.Major, f.Minor = uint32(h.Devmajor), uint32(h.Devminor)
	case tar.TypeFifo:
		f.Type = Fifo
	case tar.TypeXGlobalHeader:
		return File{}, false, nil
	default:
		return File{}, false, fmt.Errorf("its type %q is none that a layer can have", h.Typeflag)
	}
	if ok, err := f.mark(); !ok || err != nil {
		return File{}, false, err
	}
	if f.Path == "." && f.Type != Dir && f.Type != Opaque {
		return File{}, false, errors.New("it takes the place of the root folder")
	}
	if f.Type != Regular {
		f.Size = 0
	}
	f.Xattrs = xattrs(h)
	return f, true, nil
}

// mark turns the entry into a whiteout if its name says so; false if it is
// bookkeeping.
func (f *File) mark() (bool, error) {
	dir, base := path.Split(f.Path)
	gone, marked := strings.CutPrefix(base, whiteout)
	switch {
	case base == opaque:
		f.Type, f.Path = Opaque, path.Clean(dir)
	case strings.HasPrefix(base, aufs):
		return false, nil
	case marked && (gone == "" || gone == "." || gone == ".."):
		return false, errors.New("it deletes a file without a name")
	case marked:
		f.Type, f.Path = Whiteout, path.Join(dir, gone)
	}
	return true, nil
}

// clean makes a File.Path of a name in a tar; false if it leads out of the
// image. A copy, so that it doesn't hold the header's other records.
func clean(name string) (string, bool) {
	name = path.Clean(strings.TrimLeft(name, "/"))
	return strings.Clone(name), name != ".." && !strings.HasPrefix(name, "../")
}

// paxXattr is before the names of extended attributes in a tar.
const paxXattr = "SCHILY.xattr."

func xattrs(h *tar.Header) map[string]string {
	var out map[string]string
	for key, value := range h.PAXRecords {
		if name, ok := strings.CutPrefix(key, paxXattr); ok {
			if out == nil {
				out = map[string]string{}
			}
			out[strings.Clone(name)] = strings.Clone(value)
		}
	}
	return out
}

// content reads a file as far as somebody wants it.
func (r *reader) content(f *File) error {
	wanted := r.wanted[:0]
	for _, v := range r.visitors {
		if v.Wants(f) {
			wanted = append(wanted, v)
		}
	}
	r.wanted = wanted
	if len(wanted) > 0 && f.Size <= heldBytes {
		return r.hold(f, wanted)
	}
	var in io.Reader = r.tar
	if r.hash {
		r.sum.Reset()
		in = io.TeeReader(in, r.sum)
	}
	var err error
	switch len(wanted) {
	case 0:
	case 1:
		err = r.visit(f, wanted[0], in)
	default:
		err = r.share(f, wanted, in)
	}
	if err != nil {
		return err
	}
	return r.rest(f)
}

// rest hashes what no visitor has read.
func (r *reader) rest(f *File) error {
	if !r.hash {
		return nil
	}
	if _, err := io.CopyBuffer(r.sum, r.tar, r.buffer[:chunkBytes]); err != nil {
		return err
	}
	f.Hash = r.sum.Sum64()
	return nil
}

// visit lets one visitor read a content and keeps its note.
func (r *reader) visit(f *File, v Visitor, content io.Reader) error {
	data, err := v.Read(f, content)
	if err != nil {
		return fmt.Errorf("%s: %w", v.Name, err)
	}
	return r.note(v, data)
}

func (r *reader) note(v Visitor, data []byte) error {
	if data == nil {
		return nil
	}
	r.table.Notes[v.Name] = append(r.table.Notes[v.Name], Note{File: len(r.table.Files), Data: data})
	return r.walk.use(int64(len(data)))
}

// share lets several visitors read the same content as it flows.
func (r *reader) share(f *File, wanted []Visitor, content io.Reader) error {
	type answer struct {
		data []byte
		err  error
	}
	answers := make([]chan answer, len(wanted))
	pipes := make([]*io.PipeWriter, len(wanted))
	writers := make([]io.Writer, len(wanted))
	for i, v := range wanted {
		out, in := io.Pipe()
		answers[i], pipes[i], writers[i] = make(chan answer, 1), in, tap{in}
		go func() {
			data, err := v.Read(f, out)
			out.Close() // the others may want more
			answers[i] <- answer{data, err}
		}()
	}
	_, err := io.CopyBuffer(io.MultiWriter(writers...), onlyReader{content}, r.buffer)
	for i, v := range wanted {
		pipes[i].CloseWithError(err) // nil is the end of the file
		a := <-answers[i]
		if err == nil && a.err != nil {
			err = fmt.Errorf("%s: %w", v.Name, a.err)
		}
		if err == nil {
			err = r.note(v, a.data)
		}
	}
	return err
}

// tap is a pipe to a visitor, who may have seen enough.
type tap struct{ pipe *io.PipeWriter }

func (t tap) Write(p []byte) (int, error) {
	n, err := t.pipe.Write(p)
	if errors.Is(err, io.ErrClosedPipe) {
		return len(p), nil
	}
	return n, err
}

// onlyReader hides other ways to read, so that a copy uses its own buffer.
type onlyReader struct{ io.Reader }
