package image

import (
	"bufio"
	"context"
	"fmt"
	"hash"
	"io"

	"github.com/opencontainers/go-digest"
)

// stream is a layer's bytes on their way to a plain tar.
type stream struct {
	raw     *source
	tar     io.Reader // plain; counts where it is
	counter counter
	close   func()
	file    *seekable // where not all is read

	verified bool // the digest, by others
}

// counter knows the place in the plain tar.
type counter interface{ at() int64 }

// open finds out how a layer is compressed and sets up the way to its tar.
func (w *Walk) open(ctx context.Context, b Blob, in io.Reader) (*stream, error) {
	s := &stream{raw: &source{ctx: ctx, in: in, progress: w.progress}, close: func() {}}
	s.verified = b.Verified && b.Digest != ""
	if seeker, ok := in.(io.ReadSeeker); ok {
		plain, err := isPlain(seeker)
		if err != nil {
			return nil, err
		}
		if plain {
			file := &seekable{ReadSeeker: seeker, ctx: ctx, progress: w.progress}
			s.tar, s.counter, s.file = file, file, file
			return s, nil
		}
	}
	if !s.verified {
		if err := s.raw.verify(b.Digest); err != nil {
			return nil, err
		}
	}
	buffered := bufio.NewReaderSize(s.raw, 64<<10) // hashed as it is read, it is in a near cache still when it is inflated
	plain, err := Decompress(buffered)
	if err != nil {
		return nil, err
	}
	limited := &limited{in: plain, limit: w.walker.Limits.LayerBytes}
	s.tar, s.counter, s.close = limited, limited, func() { plain.Close() }
	return s, nil
}

func (s *stream) plain() io.Reader { return s.tar }
func (s *stream) offset() int64    { return s.counter.at() }

// finish reads what comes after the tar, and holds the whole against checksums
// and the digest. It returns the length of the plain tar.
func (s *stream) finish() (length int64, verified bool, err error) {
	if s.file != nil {
		length, err := s.file.Seek(0, io.SeekEnd)
		return length, s.verified, err
	}
	if _, err := io.Copy(io.Discard, s.tar); err != nil {
		return 0, false, fmt.Errorf("after the last entry: %w", err)
	}
	verified, err = s.raw.finish()
	return s.counter.at(), verified || s.verified, err
}

// source reads a layer's bytes as they come. It stops with its context.
type source struct {
	ctx      context.Context
	in       io.Reader
	progress func(int64)
	want     digest.Digest
	sum      hash.Hash // nil: nothing to verify
}

// verify makes the source hash what it reads.
func (s *source) verify(want digest.Digest) error {
	if want == "" {
		return nil
	}
	if err := want.Validate(); err != nil {
		return fmt.Errorf("digest %q: %w", want, err)
	}
	s.want, s.sum = want, want.Algorithm().Hash()
	return nil
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.in.Read(p)
	if s.sum != nil {
		s.sum.Write(p[:n])
	}
	s.progress(int64(n))
	return n, err
}

// finish reads what the decompressor left and holds the digest against it.
func (s *source) finish() (verified bool, err error) {
	if _, err := io.Copy(io.Discard, s); err != nil || s.sum == nil {
		return false, err
	}
	if got := digest.NewDigest(s.want.Algorithm(), s.sum); got != s.want {
		return false, fmt.Errorf("its bytes have the digest %s: the image is damaged; pull or build it again", got)
	}
	return true, nil
}

// seekable is a plain tar in a file. The tar reader jumps over contents.
type seekable struct {
	io.ReadSeeker
	ctx      context.Context
	progress func(int64)
	pos      int64
}

func (s *seekable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.ReadSeeker.Read(p)
	s.advance(int64(n))
	return n, err
}

func (s *seekable) Seek(offset int64, whence int) (int64, error) {
	pos, err := s.ReadSeeker.Seek(offset, whence)
	if err == nil {
		s.advance(pos - s.pos)
	}
	return pos, err
}

func (s *seekable) advance(n int64) {
	s.pos += n
	s.progress(n)
}

func (s *seekable) at() int64 { return s.pos }

// limited counts what comes out of a decompressor, and stops a bomb.
type limited struct {
	in         io.Reader
	pos, limit int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	if l.pos += int64(n); l.pos > l.limit {
		return 0, tooLarge(l.limit)
	}
	return n, err
}

func (l *limited) at() int64 { return l.pos }

func tooLarge(limit int64) error {
	return fmt.Errorf("the layer holds more than %d bytes, which no image needs: it may be a decompression bomb", limit)
}
