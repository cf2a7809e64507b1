package image

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// members inflates the members of a gzip file, one after the other (RFC 1952), without
// their checksums, which the gzip package can't leave out.
type members struct {
	in     *bufio.Reader // so that nothing is read beyond a member's end
	header *gzip.Reader  // reads headers, and nothing else
	body   io.ReadCloser
	size   uint32 // of the member so far, as its trailer has it
	err    error  // for good
}

func newMembers(in *bufio.Reader) (io.ReadCloser, error) {
	header, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	return &members{in: in, header: header, body: flate.NewReader(in)}, nil
}

func (m *members) Read(p []byte) (n int, err error) {
	for n == 0 && m.err == nil {
		n, err = m.body.Read(p)
		m.size += uint32(n)
		if err == nil {
			return n, nil
		}
		if m.err = err; errors.Is(err, io.EOF) {
			m.err = m.next()
		}
	}
	return n, m.err
}

// next goes on to the next member. The error is io.EOF after the last one.
func (m *members) next() error {
	var trailer [8]byte
	if _, err := io.ReadFull(m.in, trailer[:]); errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	} else if err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(trailer[4:]) != m.size {
		return gzip.ErrChecksum
	}
	m.size = 0
	if err := m.header.Reset(m.in); err != nil {
		return err
	}
	return m.body.(flate.Resetter).Reset(m.in, nil)
}

func (m *members) Close() error { return errors.Join(m.header.Close(), m.body.Close()) }
