package connect

import (
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
)

// Ref is an image in a registry.
type Ref struct {
	Host       string
	Repository string // without the host
	Tag        string
	Digest     string // one of Tag and Digest is "" (a digest is the more exact)
}

// ParseRef reads a reference as "docker pull" takes it.
func ParseRef(text string) (Ref, error) {
	parsed, err := name.ParseReference(text)
	if err != nil {
		return Ref{}, fmt.Errorf("image reference %q: %w", text, err)
	}
	ref := Ref{Host: parsed.Context().RegistryStr(), Repository: parsed.Context().RepositoryStr()}
	if d, ok := parsed.(name.Digest); ok {
		ref.Digest = d.DigestStr()
	} else {
		ref.Tag = parsed.Identifier()
	}
	return ref, nil
}

// Place is the repository with its host.
func (r Ref) Place() string { return r.Host + "/" + r.Repository }

func (r Ref) String() string {
	if r.Digest != "" {
		return r.Place() + "@" + r.Digest
	}
	return r.Place() + ":" + r.Tag
}
