package image

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Where no contents are asked for, a layer's own table of contents is enough: that
// of eStargz (docs/estargz.md of containerd/stargz-snapshotter) or of zstd:chunked
// (pkg/chunked of containers/storage). Both are the JSON that CRFS began with.
//
// Such a table is the word of who made the layer, and nothing holds it against the
// tar but a reading of the whole. What can be seen of a lie without that is looked
// for; then, as where there is no table, the layer is read instead.

// Bounds for what a hostile table may make of us. Those of the entries are the
// same as for a tar.
const (
	tocBytes      = 2 << 30 // uncompressed
	tocEntryBytes = 4 << 20 // of one entry
	tocVersion    = 1
	tocName       = "stargz.index.json" // in the tar of eStargz
)

// tocEntry is one entry of the JSON. Chunks after a file's first one have entries of
// their own behind the file's.
type tocEntry struct {
	Type, Name                     string
	LinkName                       string
	Mode, Size, UID, GID           int64
	DevMajor, DevMinor             int64
	ModTime                        time.Time
	Xattrs                         map[string][]byte
	Offset, ChunkOffset, ChunkSize int64
}

// tocTypes are the types of entries; the parts of a file's content are of another.
var tocTypes = map[string]byte{
	"reg": tar.TypeReg, "dir": tar.TypeDir, "symlink": tar.TypeSymlink, "hardlink": tar.TypeLink,
	"char": tar.TypeChar, "block": tar.TypeBlock, "fifo": tar.TypeFifo,
}

const tocChunk = "chunk"

// part opens n bytes of a layer from an offset on.
type part func(ctx context.Context, offset, n int64) (io.ReadCloser, error)

// partsOf opens parts of a file that is open; nil where the file is none.
func partsOf(stream io.Reader) part {
	file, ok := stream.(io.ReaderAt)
	if !ok {
		return nil
	}
	return func(_ context.Context, offset, n int64) (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(file, offset, n)), nil
	}
}

// listed makes a layer's table of its own table of contents; false where that can't
// be done. It tells how many bytes it read.
func (r *reader) listed(ctx context.Context, b Blob, open part, probe bool) (_ Table, read int64, ok bool) {
	if open == nil || r.hash || len(r.visitors) > 0 {
		return Table{}, 0, false
	}
	progress := func(n int64) { read += n; r.walk.progress(n) }
	place, found := r.place(ctx, b, open, probe, progress)
	if !found {
		r.walk.all.Add(read)
		return Table{}, read, false
	}
	l := &lister{reader: &reader{walk: r.walk}, place: place}
	if err := l.read(ctx, open, progress); err != nil {
		r.walk.used.Add(-l.used)
		r.walk.all.Add(read)
		return Table{}, read, false
	}
	return l.table, read, true
}

// lister reads a table of contents.
type lister struct {
	*reader
	place place
	file  tocEntry // whose chunks may follow
	left  int64    // bytes of it that no chunk has yet
}

// read reads the whole, and holds it against its digest.
func (l *lister) read(ctx context.Context, open part, progress func(int64)) error {
	raw, err := open(ctx, l.place.offset, l.place.length)
	if err != nil {
		return err
	}
	defer raw.Close()
	packed := &source{ctx: ctx, in: io.LimitReader(raw, l.place.length), progress: progress}
	if l.place.zstd {
		if err := packed.verify(l.place.digest); err != nil {
			return err
		}
	}
	plain, err := Decompress(bufio.NewReaderSize(packed, 64<<10))
	if err != nil {
		return err
	}
	defer plain.Close()
	l.table = Table{Files: []File{}, Notes: map[string][]Note{}}
	list := &source{ctx: ctx, in: &limited{in: plain, limit: min(tocBytes, l.walk.walker.Limits.LayerBytes)}, progress: func(int64) {}}
	if l.place.zstd {
		if err := l.entries(list); err != nil {
			return err
		}
		if _, err := list.finish(); err != nil {
			return err
		}
		_, err = packed.finish()
		return err
	}
	return l.inTar(list)
}

// inTar reads the table of eStargz, which is a file in the layer's tar. Of the layer's own
// files it is one only where the tar's end doesn't stand before it, as tools other than
// BuildKit write it. Where the end is can't be seen without a reading of the whole, so the
// table isn't listed.
func (l *lister) inTar(in *source) error {
	archive := tar.NewReader(in)
	h, err := archive.Next()
	if err != nil {
		return err
	}
	if h.Name != tocName || h.Typeflag != tar.TypeReg {
		return fmt.Errorf("the file %q is no table of contents", clip(h.Name))
	}
	list := &source{ctx: in.ctx, in: archive, progress: in.progress}
	if err := list.verify(l.place.digest); err != nil {
		return err
	}
	if err := l.entries(list); err != nil {
		return err
	}
	_, err = list.finish()
	return err
}

// entries reads the JSON, entry by entry.
func (l *lister) entries(in io.Reader) error {
	meter := &meter{in: in, left: tocEntryBytes}
	d := json.NewDecoder(meter)
	if err := expect(d, json.Delim('{')); err != nil {
		return err
	}
	version, lists := 0, 0
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		meter.left = tocEntryBytes
		switch key {
		case "version":
			err = d.Decode(&version)
		case "entries":
			lists++
			err = l.list(d, meter)
		default:
			var other json.RawMessage
			err = d.Decode(&other)
		}
		if err != nil {
			return err
		}
	}
	if version != tocVersion || lists != 1 {
		return fmt.Errorf("version %d, %d lists", version, lists)
	}
	if l.left != 0 {
		return errShort
	}
	return expect(d, json.Delim('}'))
}

func (l *lister) list(d *json.Decoder, meter *meter) error {
	if err := expect(d, json.Delim('[')); err != nil {
		return err
	}
	for d.More() {
		var e tocEntry
		meter.left = tocEntryBytes
		if err := d.Decode(&e); err != nil {
			return err
		}
		if err := l.take(e); err != nil {
			return fmt.Errorf("entry %q: %w", clip(e.Name), err)
		}
	}
	return expect(d, json.Delim(']'))
}

func expect(d *json.Decoder, want json.Delim) error {
	got, err := d.Token()
	if err == nil && got != want {
		err = fmt.Errorf("%v where %v is to be", got, want)
	}
	return err
}

var errShort = errors.New("its parts aren't as long as the file")

// take adds an entry.
func (l *lister) take(e tocEntry) error {
	if min(e.Size, e.Offset, e.ChunkOffset, e.ChunkSize, e.Mode, e.DevMajor, e.DevMinor) < 0 {
		return errors.New("a number below 0")
	}
	if e.Offset >= l.place.offset {
		return errors.New("its content lies behind the layer's contents")
	}
	if e.Type == tocChunk {
		if e.Name != l.file.Name || e.ChunkOffset != l.file.Size-l.left {
			return errors.New("a part of no file")
		}
		return l.cover(e.ChunkSize)
	}
	if l.left != 0 {
		return errShort
	}
	kind, known := tocTypes[e.Type]
	if !known {
		return fmt.Errorf("its type %q is none that a layer can have", clip(e.Type))
	}
	if kind == tar.TypeReg {
		l.file, l.left = e, e.Size
		if err := l.cover(e.ChunkSize); err != nil {
			return err
		}
	}
	return l.add(e.header(kind))
}

// cover takes a part of the file. One without a length goes to the file's end.
func (l *lister) cover(n int64) error {
	if n == 0 {
		n = l.left
	}
	if n > l.left {
		return errShort
	}
	l.left -= n
	return nil
}

const tarBlock = 512

// add adds the file that a header is of, and counts what it takes in a tar: no less
// than its header and its content.
func (l *lister) add(h *tar.Header) error {
	f, ok, err := l.reader.file(h)
	if err != nil || !ok {
		return err
	}
	if err := l.reader.charge(&f); err != nil {
		return err
	}
	l.table.Files = append(l.table.Files, f)
	l.table.Tar += tarBlock + (f.Size+tarBlock-1)/tarBlock*tarBlock
	return nil
}

// header is the entry as it stands in the tar.
func (e *tocEntry) header(kind byte) *tar.Header {
	h := &tar.Header{
		Typeflag: kind, Name: e.Name, Linkname: e.LinkName, Size: e.Size, Mode: e.Mode, Uid: id(e.UID), Gid: id(e.GID),
		ModTime: e.ModTime, Devmajor: e.DevMajor, Devminor: e.DevMinor,
	}
	if e.ModTime.IsZero() {
		h.ModTime = time.Unix(0, 0)
	}
	for name, value := range e.Xattrs {
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		h.PAXRecords[paxXattr+name] = string(value)
	}
	return h
}

// id is the number of a user or group, which Linux keeps in 32 bits.
func id(n int64) int { return int(uint32(min(max(n, math.MinInt32), math.MaxUint32))) }

// meter stops a decoder that reads on and on for one value.
type meter struct {
	in   io.Reader
	left int64
}

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, fmt.Errorf("an entry of over %d bytes", tocEntryBytes)
	}
	n, err := m.in.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	return n, err
}
