package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// parts opens parts of a repository's blobs. go-containerregistry gives out whole ones
// only, but the transport that it logs in with.
func parts(ctx context.Context, repo name.Repository) func(context.Context, ocispec.Descriptor, int64, int64) (io.ReadCloser, error) {
	client := sync.OnceValues(func() (*http.Client, error) {
		login, err := authn.Resolve(ctx, authn.DefaultKeychain, repo)
		if err != nil {
			return nil, err
		}
		t, err := transport.NewWithContext(ctx, repo.Registry, login, remote.DefaultTransport, []string{repo.Scope(transport.PullScope)})
		return &http.Client{Transport: t}, err
	})
	return func(ctx context.Context, d ocispec.Descriptor, offset, n int64) (io.ReadCloser, error) {
		c, err := client()
		if err != nil {
			return nil, err
		}
		blob := url.URL{Scheme: repo.Scheme(), Host: repo.RegistryStr(), Path: path.Join("/v2", repo.RepositoryStr(), "blobs", d.Digest.String())}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, blob.String(), nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+n-1))
		answer, err := c.Do(request)
		if err != nil {
			return nil, err
		}
		if answer.StatusCode != http.StatusPartialContent {
			answer.Body.Close()
			return nil, fmt.Errorf("%s doesn't give out parts of blobs: %s", repo.RegistryStr(), answer.Status)
		}
		return answer.Body, nil
	}
}
