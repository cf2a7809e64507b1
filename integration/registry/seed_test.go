//go:build linux

package registry_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/imgmgr/imgmgr/plugin"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// kinds are the registries that everything is shown on.
var kinds = []struct {
	name  string
	old   bool
	start func(context.Context, string) (string, error)
}{
	{"distribution 3", false, func(ctx context.Context, dir string) (string, error) { return sb.NewRegistry(ctx, dir) }},
	{"distribution 2.8", true, func(ctx context.Context, dir string) (string, error) { return sb.NewOldRegistry(ctx, dir) }},
	// zot has the referrers API.
	{"zot", false, func(ctx context.Context, dir string) (string, error) { return sb.NewZot(ctx, dir) }},
}

// distributions are those of kinds that blobs are brought to in all ways.
var distributions = kinds[:2]

// start starts the registry of a kind, empty and in memory.
func start(t *testing.T, kind int) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "imgmgr-")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	host, err := kinds[kind].start(t.Context(), dir)
	must(t, err)
	return host
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// user is somebody with a folder of their own for credentials, cache and journals.
type user struct {
	t    *testing.T
	home string
}

func newUser(t *testing.T) user {
	u := user{t, t.TempDir()}
	for _, name := range []string{"DOCKER_CONFIG", "XDG_STATE_HOME", "XDG_CACHE_HOME"} {
		t.Setenv(name, u.home)
	}
	return u
}

// run runs a command line, which must end with a code, and returns all that it
// printed.
func (u user) run(code int, args ...string) string {
	u.t.Helper()
	out, got := u.try(args...)
	if got != code {
		u.t.Errorf("%s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	return out
}

// try runs a command line and returns all that it printed, and its exit code.
func (u user) try(args ...string) (string, int) { return u.tryIn(u.t.Context(), args...) }

func (u user) tryIn(ctx context.Context, args ...string) (string, int) {
	var out bytes.Buffer
	root := plugin.Root("test", func() ui.Streams {
		return ui.Streams{In: strings.NewReader(""), Out: ui.Output{Writer: &out}, Err: ui.Output{Writer: &out}}
	})
	root.SetArgs(append([]string{"registry"}, args...))
	if args[0] == "prune" {
		root.SetArgs(args)
	}
	code := ui.Code(&out, "imgmgr", root.ExecuteContext(ctx))
	return out.String(), code
}

// contains checks what was printed.
func contains(t *testing.T, out string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("no %q in:\n%s", w, out)
		}
	}
}

func ref(t *testing.T, text string) name.Reference {
	t.Helper()
	parsed, err := name.ParseReference(text)
	must(t, err)
	return parsed
}

// image makes an image of random content for a platform, with a label.
func image(t *testing.T, arch, environment string) v1.Image {
	t.Helper()
	img, err := random.Image(2000, 2)
	must(t, err)
	config, err := img.ConfigFile()
	must(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Created = v1.Time{Time: time.Now().Add(-48 * time.Hour)}
	config.Config.Labels = map[string]string{"environment": environment}
	img, err = mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(img, types.OCIManifestSchema1), types.OCIConfigJSON), config)
	must(t, err)
	return img
}

func index(t *testing.T) v1.ImageIndex {
	t.Helper()
	out := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{"amd64", "arm64"} {
		out = mutate.AppendManifests(out, mutate.IndexAddendum{Add: image(t, arch, "production"),
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	return out
}

func push(t *testing.T, img v1.Image, refs ...string) v1.Hash {
	t.Helper()
	for _, r := range refs {
		must(t, remote.Write(ref(t, r), img))
	}
	d, err := img.Digest()
	must(t, err)
	return d
}

// fill pushes an index, an image of three tags that is signed and described, and
// some versions. It returns the digest of the signed image.
func fill(t *testing.T, repository string) v1.Hash {
	t.Helper()
	must(t, remote.WriteIndex(ref(t, repository+":multi"), index(t)))
	img := image(t, "amd64", "development")
	d := push(t, img, repository+":one", repository+":two", repository+":three")
	size, err := img.Size()
	must(t, err)
	sbom, ok := mutate.Subject(image(t, "unknown", ""), v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: d, Size: size}).(v1.Image)
	if !ok {
		t.Fatal("an image with a subject is no image")
	}
	described, err := sbom.Digest()
	must(t, err)
	push(t, sbom, repository+"@"+described.String())
	push(t, image(t, "unknown", ""), repository+":sha256-"+d.Hex+".sig")
	for _, version := range []string{"v1.0.0", "v1.1.0", "v2.0.0"} {
		push(t, image(t, "amd64", "staging"), repository+":"+version)
	}
	return d
}

// whole pulls an image down to its last blob, and holds all against its digest.
func whole(t *testing.T, text string) {
	t.Helper()
	desc, err := remote.Get(ref(t, text))
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return
	}
	if desc.MediaType.IsIndex() {
		var index v1.ImageIndex
		if index, err = desc.ImageIndex(); err == nil {
			err = validate.Index(index)
		}
	} else {
		var img v1.Image
		if img, err = desc.Image(); err == nil {
			err = validate.Image(img)
		}
	}
	if err != nil {
		t.Errorf("%s: %v", text, err)
	}
}

// digests are the tags of a repository and where they lead, without those of
// referrers.
func digests(t *testing.T, repository string) map[string]string {
	t.Helper()
	repo, err := name.NewRepository(repository)
	must(t, err)
	tags, err := remote.List(repo)
	must(t, err)
	out := map[string]string{}
	for _, tag := range tags {
		if !strings.HasPrefix(tag, "sha256-") {
			desc, err := remote.Head(repo.Tag(tag))
			must(t, err)
			out[tag] = desc.Digest.String()
		}
	}
	return out
}

// referrers are the digests that refer to an image, however the registry says so.
func referrers(t *testing.T, text string) int {
	t.Helper()
	d, ok := ref(t, text).(name.Digest)
	if !ok {
		t.Fatalf("%s is no digest", text)
	}
	index, err := remote.Referrers(d)
	must(t, err)
	manifest, err := index.IndexManifest()
	must(t, err)
	return len(manifest.Manifests)
}
