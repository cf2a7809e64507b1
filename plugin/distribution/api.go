package distribution

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// pageSize is the most that distribution allows.
const pageSize = 1000

// Accepting accepts all types of manifests there are. Registries answer 404, or
// convert, where the type of a manifest isn't accepted.
func Accepting() http.Header {
	return http.Header{"Accept": {strings.Join([]string{
		string(types.OCIImageIndex), string(types.DockerManifestList),
		string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
		string(types.DockerManifestSchema1Signed), "*/*;q=0.1",
	}, ", ")}}
}

// Repositories lists all that the registry has, sorted.
func (r *Registry) Repositories(ctx context.Context) ([]string, error) {
	var page struct{ Repositories []string }
	return r.pages(ctx, "", "_catalog", &page, func() []string { return page.Repositories })
}

// Tags lists the tags of a repository, sorted. A repository without tags does not
// exist to most registries.
func (r *Registry) Tags(ctx context.Context, repository string) ([]string, error) {
	var page struct{ Tags []string }
	return r.pages(ctx, repository, "tags/list", &page, func() []string { return page.Tags })
}

// pages reads a listing to its end. A full page without a link to the next one is
// not taken for the end: some registries cut listings short without a word.
func (r *Registry) pages(ctx context.Context, repository, path string, page any, names func() []string) ([]string, error) {
	var all []string
	seen := map[string]bool{}
	next := fmt.Sprintf("%s?n=%d", path, pageSize)
	for next != "" {
		got, err := r.Do(ctx, Request{Method: http.MethodGet, Repository: repository, Path: next, Rights: MayRead})
		if err != nil && len(all) > 0 {
			return nil, fmt.Errorf("the list is cut short: %v", err) // not %w: nobody shall take it for a listing that is not there
		}
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(got.Body, page); err != nil {
			return nil, fmt.Errorf("list %s of %s: the answer is no JSON: %w", path, r.Host()+"/"+repository, err)
		}
		fresh, last := 0, ""
		for _, name := range names() {
			if !seen[name] {
				seen[name] = true
				all = append(all, name)
				fresh++
			}
			last = name
		}
		full := len(names()) >= pageSize
		next, err = nextPage(got.Header.Get("Link"))
		if err != nil {
			return nil, fmt.Errorf("list %s of %s: %w", path, r.Host()+"/"+repository, err)
		}
		switch {
		case next != "" && fresh == 0:
			return nil, fmt.Errorf("list %s of %s: the pages lead in a circle", path, r.Host()+"/"+repository)
		case next == "" && full && fresh > 0:
			next = fmt.Sprintf("%s?n=%d&last=%s", path, pageSize, url.QueryEscape(last))
		}
	}
	slices.Sort(all)
	return all, nil
}

// linkNext takes a link without its brackets, too, as zot 1.4 writes it.
var linkNext = regexp.MustCompile(`^\s*(?:<([^>]+)>|(/[^<>;]+))\s*;\s*(?:.*;\s*)?rel="?next"?`)

// nextPage is the path of the next page, "" at the end.
func nextPage(link string) (string, error) {
	if link == "" {
		return "", nil
	}
	m := linkNext.FindStringSubmatch(link)
	if m == nil {
		return "", fmt.Errorf("its link to the next page can't be read: %q", link)
	}
	u, err := url.Parse(m[1] + m[2])
	if err != nil || !strings.HasPrefix(u.Path, "/v2/") {
		return "", errors.New("its link to the next page leads nowhere")
	}
	return u.RequestURI(), nil // on the same host, whatever the link says
}

// Digest is what a tag, or a digest, leads to now.
func (r *Registry) Digest(ctx context.Context, repository, reference string) (string, error) {
	req := Request{Method: http.MethodHead, Repository: repository, Path: "manifests/" + reference, Rights: MayRead, Header: Accepting()}
	got, err := r.Do(ctx, req)
	if err != nil {
		return "", err
	}
	if digest := got.Header.Get("Docker-Content-Digest"); digest != "" {
		if !IsDigest(digest) {
			return "", fmt.Errorf("HEAD %s of %s: %q is no digest", req.Path, repository, digest)
		}
		return strings.Clone(digest), nil // without the other headers
	}
	req.Method = http.MethodGet
	if got, err = r.Do(ctx, req); err != nil {
		return "", err
	}
	sum := sha256.Sum256(got.Body)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// Look reads what a tag leads to now, and its digest, in one request.
func (r *Registry) Look(ctx context.Context, repository, tag string) (digest string, content []byte, err error) {
	req := Request{Method: http.MethodGet, Repository: repository, Path: "manifests/" + tag, Rights: MayRead, Header: Accepting()}
	for range 2 { // once more: it may have been cut on the way
		got, err := r.Do(ctx, req)
		if err != nil {
			return "", nil, err
		}
		if digest = got.Header.Get("Docker-Content-Digest"); digest == "" {
			sum := sha256.Sum256(got.Body)
			digest = "sha256:" + hex.EncodeToString(sum[:])
		}
		if matches(got.Body, digest) {
			r.cache.put(digest, got.Body)
			return strings.Clone(digest), got.Body, nil // without the other headers
		}
	}
	return "", nil, fmt.Errorf("GET %s of %s/%s: the content has another digest than the registry says", req.Path, r.Host(), repository)
}

// Cached reports whether the cache has the content of a digest.
func (r *Registry) Cached(digest string) bool { return r.cache.get(digest) != nil }

// Manifest reads a manifest from the registry itself, and checks its digest.
func (r *Registry) Manifest(ctx context.Context, repository, digest string) (mediaType string, content []byte, err error) {
	got, err := r.get(ctx, repository, "manifests", digest)
	if err != nil {
		return "", nil, err
	}
	return got.Header.Get("Content-Type"), got.Body, nil
}

// Content reads a manifest or a configuration by its digest, from the cache if it
// is there. Kind is "manifests" or "blobs".
func (r *Registry) Content(ctx context.Context, repository, kind, digest string) ([]byte, error) {
	if content := r.cache.get(digest); content != nil {
		return content, nil
	}
	got, err := r.get(ctx, repository, kind, digest)
	if err != nil {
		return nil, err
	}
	r.cache.put(digest, got.Body)
	return got.Body, nil
}

// get reads a manifest or a configuration by its digest, and checks it.
func (r *Registry) get(ctx context.Context, repository, kind, digest string) (*Answer, error) {
	req := Request{Method: http.MethodGet, Repository: repository, Path: kind + "/" + digest, Rights: MayRead}
	if kind == "manifests" {
		req.Header = Accepting()
	}
	var got *Answer
	for range 2 { // once more: it may have been cut on the way
		var err error
		if got, err = r.Do(ctx, req); err != nil {
			return nil, err
		}
		if matches(got.Body, digest) {
			return got, nil
		}
	}
	return nil, fmt.Errorf("GET %s of %s/%s: the content has another digest", req.Path, r.Host(), repository)
}

// Put writes a manifest under a tag, or under its digest alone.
func (r *Registry) Put(ctx context.Context, repository, reference, mediaType string, content []byte) error {
	_, err := r.Do(ctx, Request{Method: http.MethodPut, Repository: repository, Path: "manifests/" + reference, Rights: MayChange,
		Header: http.Header{"Content-Type": {mediaType}}, Body: content})
	return err
}

// Delete deletes a manifest with all its tags by a digest, or by a tag that alone.
// Distribution 2.8 can't do the latter.
func (r *Registry) Delete(ctx context.Context, repository, reference string) error {
	_, err := r.Do(ctx, Request{Method: http.MethodDelete, Repository: repository, Path: "manifests/" + reference, Rights: MayChange})
	return err
}

// Referrers is what refers to a manifest, by the referrers API. A registry that
// doesn't know it is asked once, and supported is false: there, tags lead to
// referrers.
func (r *Registry) Referrers(ctx context.Context, repository, digest string) (found []ocispec.Descriptor, supported bool, err error) {
	known := r.knowsReferrers()
	if known == nil {
		r.asking.Lock() // the others wait for the first answer
		if known = r.knowsReferrers(); known == nil {
			defer r.asking.Unlock()
		} else {
			r.asking.Unlock()
		}
	}
	if known != nil && !*known {
		return nil, false, nil
	}
	first := "referrers/" + digest
	seen := map[string]bool{}
	for next := first; next != ""; {
		if seen[next] {
			return nil, true, fmt.Errorf("read the referrers of %s in %s: the pages lead in a circle", digest, repository)
		}
		seen[next] = true
		req := Request{Method: http.MethodGet, Repository: repository, Path: next, Rights: MayRead}
		got, err := r.Do(ctx, req)
		if next == first && lacks(err) { // nobody shall lose referrers by one wrong answer
			got, err = r.Do(ctx, req)
		}
		if next == first && lacks(err) {
			r.lackReferrers(err)
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		r.mu.Lock()
		r.referrers = new(true)
		r.mu.Unlock()
		page, err := referrersPage(got.Body)
		if err == nil {
			next, err = nextPage(got.Header.Get("Link"))
		}
		if err != nil {
			return nil, true, fmt.Errorf("read the referrers of %s in %s: %w", digest, repository, err)
		}
		found = append(found, page...)
	}
	return found, true, nil
}

// lacks reports that a registry doesn't know what was asked for.
func lacks(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported)
}

// lackReferrers notes that a registry doesn't know the referrers API, unless its
// refusal is about the one manifest: it has answered for another, or says so.
func (r *Registry) lackReferrers(err error) {
	if e, ok := errors.AsType[*Refusal](err); ok && slices.Contains(aboutOne, e.code) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.referrers == nil {
		r.referrers = new(false)
	}
}

// aboutOne are codes of errors that say nothing of other manifests. Source: OCI
// distribution specification 1.1, "Error Codes".
var aboutOne = []transport.ErrorCode{
	transport.ManifestUnknownErrorCode, transport.NameUnknownErrorCode, transport.NameInvalidErrorCode, transport.DigestInvalidErrorCode,
}

// knowsReferrers is nil until the registry was asked.
func (r *Registry) knowsReferrers() *bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.referrers
}

func referrersPage(content []byte) ([]ocispec.Descriptor, error) {
	var index ocispec.Index
	if err := json.Unmarshal(content, &index); err != nil {
		return nil, err
	}
	for _, d := range index.Manifests {
		if !IsDigest(d.Digest.String()) {
			return nil, fmt.Errorf("%q is no digest", d.Digest)
		}
	}
	return index.Manifests, nil
}

// matches holds content against its digest.
func matches(content []byte, digest string) bool {
	algorithm, want, _ := strings.Cut(digest, ":")
	switch algorithm {
	case "sha256":
		sum := sha256.Sum256(content)
		return hex.EncodeToString(sum[:]) == want
	case "sha512":
		sum := sha512.Sum512(content)
		return hex.EncodeToString(sum[:]) == want
	}
	return false
}

var digestForm = regexp.MustCompile(`^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$`)

// IsDigest reports a digest of an algorithm that can be checked.
func IsDigest(s string) bool { return digestForm.MatchString(s) }

// Login is how a registry wants credentials: "none", "basic" or "token".
func (r *Registry) Login(ctx context.Context) (string, error) {
	var kind string
	err := r.again(ctx, "GET /v2/ of "+r.Host(), func() error {
		ctx, cancel := context.WithTimeout(ctx, r.opts.Timeout)
		defer cancel()
		challenge, err := transport.Ping(ctx, r.host, r.guard)
		if err == nil {
			kind = challenge.Scheme
		}
		return err
	})
	switch {
	case err != nil:
		return "", err
	case kind == "":
		return "none", nil
	case strings.EqualFold(kind, "bearer"):
		return "token", nil
	}
	return strings.ToLower(kind), nil
}
