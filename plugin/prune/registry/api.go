package registry

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"
)

// pageSize is the most that distribution allows.
const pageSize = 1000

// everyManifest accepts all types there are. Registries answer 404, or convert,
// where the type of a manifest isn't accepted.
var everyManifest = strings.Join([]string{
	string(types.OCIImageIndex), string(types.DockerManifestList),
	string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
	string(types.DockerManifestSchema1Signed), "*/*;q=0.1",
}, ", ")

// repositories lists all that the registry has.
func (r *Registry) repositories(ctx context.Context) ([]string, error) {
	var page struct{ Repositories []string }
	return r.pages(ctx, "", "_catalog", &page, func() []string { return page.Repositories })
}

func (r *Registry) tags(ctx context.Context, repository string) ([]string, error) {
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
		got, err := r.do(ctx, request{method: http.MethodGet, repository: repository, path: next, action: "pull"})
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(got.body, page); err != nil {
			return nil, fmt.Errorf("list %s of %s: the answer is no JSON: %w", path, r.host.RegistryStr()+"/"+repository, err)
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
		next, err = nextPage(got.header.Get("Link"))
		if err != nil {
			return nil, fmt.Errorf("list %s of %s: %w", path, r.host.RegistryStr()+"/"+repository, err)
		}
		switch {
		case next != "" && fresh == 0:
			return nil, fmt.Errorf("list %s of %s: the pages lead in a circle", path, r.host.RegistryStr()+"/"+repository)
		case next == "" && full && fresh > 0:
			next = fmt.Sprintf("%s?n=%d&last=%s", path, pageSize, url.QueryEscape(last))
		}
	}
	slices.Sort(all)
	return all, nil
}

var linkNext = regexp.MustCompile(`^\s*<([^>]+)>\s*;\s*(?:.*;\s*)?rel="?next"?`)

// nextPage is the path of the next page, "" at the end.
func nextPage(link string) (string, error) {
	if link == "" {
		return "", nil
	}
	m := linkNext.FindStringSubmatch(link)
	if m == nil {
		return "", fmt.Errorf("its link to the next page can't be read: %q", link)
	}
	u, err := url.Parse(m[1])
	if err != nil || !strings.HasPrefix(u.Path, "/v2/") {
		return "", errors.New("its link to the next page leads nowhere")
	}
	return u.RequestURI(), nil // on the same host, whatever the link says
}

// head is the digest that a tag has now.
func (r *Registry) head(ctx context.Context, repository, tag string) (string, error) {
	req := request{method: http.MethodHead, repository: repository, path: "manifests/" + tag, action: "pull", accept: everyManifest}
	got, err := r.do(ctx, req)
	if err != nil {
		return "", err
	}
	if digest := got.header.Get("Docker-Content-Digest"); digest != "" {
		if !isDigest(digest) {
			return "", fmt.Errorf("HEAD %s of %s: %q is no digest", req.path, repository, digest)
		}
		return digest, nil
	}
	req.method = http.MethodGet
	if got, err = r.do(ctx, req); err != nil {
		return "", err
	}
	sum := sha256.Sum256(got.body)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// get reads a manifest or a configuration by its digest, and checks it.
func (r *Registry) get(ctx context.Context, repository, kind, digest string) (*answer, error) {
	req := request{method: http.MethodGet, repository: repository, path: kind + "/" + digest, action: "pull"}
	if kind == "manifests" {
		req.accept = everyManifest
	}
	var got *answer
	for range 2 { // once more: it may have been cut on the way
		var err error
		if got, err = r.do(ctx, req); err != nil {
			return nil, err
		}
		if matches(got.body, digest) {
			return got, nil
		}
	}
	return nil, fmt.Errorf("GET %s of %s/%s: the content has another digest", req.path, r.host.RegistryStr(), repository)
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

func isDigest(s string) bool { return digestForm.MatchString(s) }
