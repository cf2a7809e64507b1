package registry

import (
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// ParseMirrors reads the names of mirrors of Docker Hub: a host with an optional
// port, or a URL of scheme http or https. Hosts on this machine are spoken to
// without TLS.
func ParseMirrors(mirrors []string) ([]name.Registry, error) {
	var out []name.Registry
	for _, m := range mirrors {
		reg, err := parseMirror(m)
		if err != nil {
			return nil, err
		}
		out = append(out, reg)
	}
	return out, nil
}

func parseMirror(mirror string) (name.Registry, error) {
	var opts []name.Option
	host, plain := strings.CutPrefix(mirror, "http://")
	if plain {
		opts = append(opts, name.Insecure)
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "https://"), "/")
	reg, err := name.NewRegistry(host, append(opts, name.StrictValidation)...)
	if err != nil || strings.Contains(host, "/") {
		return name.Registry{}, fmt.Errorf("registry mirror %q: want a host such as mirror.example.com:5000, or its http or https URL", mirror)
	}
	return reg, nil
}

// Places are the references under which registries may hold the image: mirrors,
// in order, for images of Docker Hub, and then its own registry.
func Places(ref name.Reference, mirrors []name.Registry) []name.Reference {
	var out []name.Reference
	if ref.Context().RegistryStr() == name.DefaultRegistry {
		for _, mirror := range mirrors {
			repo := mirror.Repo(ref.Context().RepositoryStr())
			if d, ok := ref.(name.Digest); ok {
				out = append(out, repo.Digest(d.DigestStr()))
			} else {
				out = append(out, repo.Tag(ref.Identifier()))
			}
		}
	}
	return append(out, ref)
}
