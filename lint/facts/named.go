package facts

import (
	"strings"

	"github.com/distribution/reference"
)

// Build is another build whose image is a named context of this one.
type Build struct {
	Path   string // of its Dockerfile
	Source []byte // the Dockerfile's text
	// Facts are those of the build, whose platform is the one asked for, however.
	Facts Context
}

// Replacing finds the named context that stands for what a FROM, or the name of a
// stage, says. As for BuildKit, "docker.io/library/app:latest" is "app".
func Replacing[V any](contexts map[string]V, ref string) (name string, ok bool) {
	if len(contexts) == 0 || ref == "" {
		return "", false
	}
	short := contextName(ref)
	for name := range contexts {
		// A platform may stand behind it.
		if key, _, _ := strings.Cut(name, "::"); key == ref || contextName(key) == short {
			return name, true
		}
	}
	return "", false
}

// contextName is the name under which BuildKit looks for a context.
func contextName(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref // it is a name all the same
	}
	return strings.TrimSuffix(reference.FamiliarString(reference.TagNameOnly(named)), ":latest")
}
