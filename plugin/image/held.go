package image

import (
	"bytes"
	"io"

	"github.com/zeebo/xxh3"
)

const (
	// heldBytes is the longest content that is held in memory, for one visitor after the
	// other: most files are shorter, and nothing has to run side by side.
	heldBytes = 2 << 20
	// chunkBytes is how much of a content is inflated before it is hashed: as much as is
	// still in the processor's first cache then.
	chunkBytes = 16 << 10
	// textBytes is how far a zero byte is looked for in what may be a text.
	textBytes = 512
)

// held is a content, in memory as far as a visitor wanted it.
type held struct {
	from io.Reader
	sum  *xxh3.Hasher // of what is in memory; nil: nobody wants it
	all  []byte       // as long as the content is
	got  int          // of all
	at   int          // of all, where the visitor is
	err  error        // of reading
}

// fill reads the first n bytes, and some more.
func (h *held) fill(n int) error {
	for h.got < n && h.err == nil {
		chunk := h.all[h.got:min(h.got+chunkBytes, len(h.all))]
		var read int
		read, h.err = io.ReadFull(h.from, chunk)
		if h.sum != nil {
			h.sum.Write(chunk[:read])
		}
		h.got += read
	}
	return h.err
}

func (h *held) Read(p []byte) (int, error) {
	if h.at == len(h.all) {
		return 0, io.EOF
	}
	if err := h.fill(h.at + 1); err != nil {
		return 0, err
	}
	n := copy(p, h.all[h.at:h.got])
	h.at += n
	return n, nil
}

// hold lets visitors see a content one after the other.
func (r *reader) hold(f *File, wanted []Visitor) error {
	h := &r.held
	if int(f.Size) > cap(h.all) {
		h.all = make([]byte, min(heldBytes, 2*f.Size))
	}
	*h = held{from: r.tar, all: h.all[:f.Size]}
	if r.hash {
		h.sum = r.sum
		h.sum.Reset()
	}
	for _, v := range wanted {
		h.at = 0
		err := r.visit(f, v, h)
		if h.err != nil {
			return h.err
		}
		if err != nil {
			return err
		}
	}
	return r.rest(f)
}

// Text is a content as a whole; nil if it isn't a text, which has no zero byte at its start.
// The bytes are only good until the visitor returns, and are not to be changed.
func Text(f *File, content io.Reader) ([]byte, error) {
	var all []byte
	if h, ok := content.(*held); ok && h.at == 0 {
		if err := h.fill(min(textBytes, len(h.all))); err != nil || !isText(h.all[:h.got]) {
			return nil, err
		}
		if err := h.fill(len(h.all)); err != nil {
			return nil, err
		}
		h.at, all = len(h.all), h.all
	} else {
		out := bytes.NewBuffer(make([]byte, 0, min(f.Size, heldBytes)+bytes.MinRead))
		if _, err := out.ReadFrom(content); err != nil {
			return nil, err
		}
		all = out.Bytes()
	}
	if !isText(all) {
		return nil, nil
	}
	return all, nil
}

func isText(start []byte) bool { return bytes.IndexByte(start[:min(textBytes, len(start))], 0) < 0 }
