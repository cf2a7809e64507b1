//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/imgmgr/imgmgr/plugin/distribution"
)

// script does what the clean-up script of the guide that imgmgr grew from does to know
// the age of each tag, mended so that it works with today's manifests: one request
// after the other, the digest, the manifest, and the configuration with the date. It
// returns the time per tag.
func (b *bench) script(host, repository string, tags int) (time.Duration, error) {
	start := time.Now()
	for i := range tags {
		at := fmt.Sprintf("http://%s/v2/%s/", host, repository)
		tag := fmt.Sprintf("manifests/v1.%d.0", i)
		if _, err := b.ask(http.MethodHead, at+tag); err != nil {
			return 0, err
		}
		text, err := b.ask(http.MethodGet, at+tag)
		if err != nil {
			return 0, err
		}
		var m manifest
		if err := json.Unmarshal(text, &m); err != nil {
			return 0, err
		}
		if m.Config == nil { // an index
			continue
		}
		if _, err := b.ask(http.MethodGet, at+"blobs/"+m.Config.Digest); err != nil {
			return 0, err
		}
	}
	return time.Since(start) / time.Duration(tags), nil
}

func (b *bench) ask(method, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(b.ctx, method, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header = distribution.Accepting()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", method, url, resp.Status)
	}
	return text, err
}
