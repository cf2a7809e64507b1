package lint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/imgmgr/imgmgr/lint/facts"
)

const (
	downloadTime = 2 * time.Minute // for one file
	downloadSize = 1 << 30         // bytes of one file
)

// Downloads tells the digests of files on the web, by fetching each of them once
// and keeping none.
type Downloads struct {
	mu    sync.Mutex
	known map[string]download
	limit int64 // bytes
}

type download struct {
	digest string
	err    error
}

// NewDownloads fetches files up to a size and for a time that ADD is used for.
func NewDownloads() *Downloads {
	return &Downloads{known: map[string]download{}, limit: downloadSize}
}

var _ facts.Downloads = (*Downloads)(nil)

// Digest is the digest of what an address returns now.
func (d *Downloads) Digest(ctx context.Context, url string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock() // one at a time: several targets may name the same file
	got, ok := d.known[url]
	if !ok {
		got.digest, got.err = d.fetch(ctx, url)
		if ctx.Err() == nil {
			d.known[url] = got
		}
	}
	return got.digest, got.err
}

// fetch reads as BuildKit's source for HTTP does: by GET, redirects followed, the
// server's own compression taken off.
func (d *Downloads) fetch(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, downloadTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("download %s: %w: %w", url, facts.ErrUnknown, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("download: %w: %w", facts.ErrUnknown, err) // which names the address
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("download %s: %w: the server answers %s", url, facts.ErrUnknown, resp.Status)
	}
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(resp.Body, d.limit+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("download %s: %w: %w", url, facts.ErrUnknown, err)
	case n > d.limit:
		return "", fmt.Errorf("download %s: %w: it is larger than %d bytes", url, facts.ErrUnknown, d.limit)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}
