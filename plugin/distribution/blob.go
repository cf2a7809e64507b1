package distribution

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// HasBlob reports whether a repository has a blob.
func (r *Registry) HasBlob(ctx context.Context, repository, digest string) (bool, error) {
	_, err := r.Do(ctx, Request{Method: http.MethodHead, Repository: repository, Path: "blobs/" + digest, Rights: MayRead})
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Mount makes a blob of another repository of the same registry one of this
// repository, too, and reports whether the registry did so.
func (r *Registry) Mount(ctx context.Context, repository, digest, from string) (bool, error) {
	got, err := r.Do(ctx, Request{Method: http.MethodPost, Repository: repository, Rights: MayChange, From: from,
		Path: "blobs/uploads/?mount=" + url.QueryEscape(digest) + "&from=" + url.QueryEscape(from)})
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported) {
		return false, nil
	}
	if err != nil || got.Status == http.StatusCreated {
		return err == nil, err
	}
	// The registry waits for an upload in its place.
	if location, err := r.location(got.Header); err == nil {
		_, _ = r.once(ctx, Request{Method: http.MethodDelete, Repository: repository, Path: location, Rights: MayChange})
	}
	return false, nil
}

// DeleteBlob takes a blob out of a repository. Few registries can.
func (r *Registry) DeleteBlob(ctx context.Context, repository, digest string) error {
	_, err := r.Do(ctx, Request{Method: http.MethodDelete, Repository: repository, Path: "blobs/" + digest, Rights: MayChange})
	return err
}

// Upload writes a blob of size bytes. Open is called for each try, and gives the
// whole content; it must fail at its end where that isn't what the digest says.
func (r *Registry) Upload(ctx context.Context, repository, digest string, size int64, open func() io.ReadCloser) error {
	what := "upload blob " + digest + " to " + r.Host() + "/" + repository
	return r.patiently(ctx, what, func() error {
		got, err := r.Do(ctx, Request{Method: http.MethodPost, Repository: repository, Path: "blobs/uploads/", Rights: MayChange})
		if err != nil {
			return fatal{err} // it was tried again already
		}
		location, err := r.location(got.Header)
		if err != nil {
			return fatal{err}
		}
		return r.transfer(ctx, repository, location, digest, size, open)
	})
}

// fatal is an error that another try doesn't help.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

func (r *Registry) transfer(ctx context.Context, repository, location, digest string, size int64, open func() io.ReadCloser) error {
	ctx, alive, cancel := watched(ctx, r.opts.Timeout)
	defer cancel()
	u, err := url.Parse(location)
	if err != nil {
		return fatal{errors.New("the registry names no address to upload to")}
	}
	query := u.Query()
	query.Set("digest", digest)
	u.RawQuery = query.Encode()
	client, err := r.client(ctx, repository, MayChange, "")
	if err != nil {
		return err
	}
	body := open()
	defer body.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, r.url(Request{Path: u.String()}), &watchedReader{body, alive})
	if err != nil {
		return err
	}
	req.ContentLength = size
	req.Header.Set("Content-Type", "application/octet-stream")
	if size == 0 {
		req.Body = http.NoBody
	}
	resp, err := client.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if resp.StatusCode >= 300 {
		return refused(resp, text)
	}
	return err
}

// location is where an upload goes on. A registry that is spoken to over TLS can't
// send the upload, and with it the content, where none is.
func (r *Registry) location(header http.Header) (string, error) {
	text := header.Get("Location")
	u, err := url.Parse(text)
	if err != nil || text == "" || !u.IsAbs() && !strings.HasPrefix(text, "/") {
		return "", errors.New("the registry names no address to upload to")
	}
	if u.IsAbs() && u.Scheme != "https" && r.guard.speaks() == "https" && !r.opts.Insecure {
		return "", fmt.Errorf("the registry wants the upload at an address of scheme %s; want https", u.Scheme)
	}
	return text, nil
}

// watched is a context that ends when nothing has happened for a time.
func watched(ctx context.Context, longest time.Duration) (_ context.Context, alive func(), cancel context.CancelFunc) {
	ctx, stop := context.WithCancelCause(ctx)
	timer := time.AfterFunc(longest, func() { stop(fmt.Errorf("no byte came or went for %v", longest)) })
	return ctx, func() { timer.Reset(longest) }, func() { timer.Stop(); stop(nil) }
}

type watchedReader struct {
	io.Reader
	alive func()
}

func (w *watchedReader) Read(p []byte) (int, error) {
	w.alive()
	return w.Reader.Read(p)
}

// Blob reads a blob of size bytes. A connection that is cut is made anew, and goes
// on where it was. The last read fails where the content isn't what the digest says.
func (r *Registry) Blob(ctx context.Context, repository, digest string, size int64) io.ReadCloser {
	b := &blob{ctx: ctx, registry: r, repository: repository, digest: digest, size: size, sum: sha256.New()}
	if strings.HasPrefix(digest, "sha512:") {
		b.sum = sha512.New()
	}
	return b
}

// someWay is after how many bytes a connection was good: a large layer over a bad
// line may be cut many times.
const someWay = 1 << 20

type blob struct {
	ctx        context.Context
	registry   *Registry
	repository string
	digest     string
	size       int64
	offset     int64
	sum        hash.Hash
	failures   int   // since the last one that came after some way
	failed     int64 // the offset of the last failure

	body   io.ReadCloser // nil: not open
	alive  func()
	cancel context.CancelFunc
}

func (b *blob) Read(p []byte) (int, error) {
	for {
		if b.offset == b.size {
			return 0, b.check()
		}
		if b.body == nil {
			if err := b.open(); err != nil {
				return 0, err
			}
		}
		b.alive()
		n, err := b.body.Read(p[:min(int64(len(p)), b.size-b.offset)])
		b.offset += int64(n)
		b.sum.Write(p[:n])
		if err != nil && b.offset < b.size { // an early end, too
			b.Close()
			if b.offset-b.failed >= someWay {
				b.failures = 0
			}
			b.failed = b.offset
			if b.failures++; b.failures >= tries || b.ctx.Err() != nil {
				return n, fmt.Errorf("read blob %s of %s/%s: it ends after %d of %d bytes: %w", b.digest, b.registry.Host(), b.repository, b.offset, b.size, clean(err))
			}
		}
		if n > 0 {
			return n, nil
		}
	}
}

func (b *blob) check() error {
	if got := hex.EncodeToString(b.sum.Sum(nil)); !strings.HasSuffix(b.digest, ":"+got) {
		return fmt.Errorf("read blob %s of %s/%s: the content has another digest", b.digest, b.registry.Host(), b.repository)
	}
	return io.EOF
}

// open asks for what is left.
func (b *blob) open() error {
	req := Request{Method: http.MethodGet, Repository: b.repository, Path: "blobs/" + b.digest, Rights: MayRead, Header: http.Header{}}
	if b.offset > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(b.offset, 10)+"-")
	}
	var resp *http.Response
	var alive func()
	var cancel context.CancelFunc
	err := b.registry.again(b.ctx, "GET "+req.Path+" of "+b.registry.Host()+"/"+b.repository, func() (err error) {
		var ctx context.Context
		ctx, alive, cancel = watched(b.ctx, b.registry.opts.Timeout)
		if resp, err = b.registry.send(ctx, req, http.NoBody); err == nil && resp.StatusCode >= 300 {
			text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
			resp.Body.Close()
			err = refused(resp, text)
		}
		if err != nil {
			cancel()
		}
		return err
	})
	if err != nil {
		return err
	}
	b.body, b.alive, b.cancel = resp.Body, alive, cancel
	if b.offset > 0 && resp.StatusCode != http.StatusPartialContent { // it can't skip
		_, err = io.CopyN(io.Discard, &watchedReader{resp.Body, alive}, b.offset)
	}
	return err
}

func (b *blob) Close() error {
	if b.body == nil {
		return nil
	}
	err := b.body.Close()
	b.cancel()
	b.body = nil
	return err
}
