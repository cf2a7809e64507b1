//go:build linux

package sandbox

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Stand-in images: what FROM gets where Docker Hub can't be reached.
//
//	debian:bookworm-slim     debootstrap's minbase and ca-certificates, with the settings of the real image
//	buildpack-deps:bookworm  debian with git, a C and C++ compiler, make, python3, curl
//	golang:1.26-bookworm     buildpack-deps with this machine's Go
//	node:20-bookworm[-slim]  buildpack-deps (debian) with this machine's Node.js
//	busybox:latest           Debian's busybox-static, for amd64, arm64 and 386
//
// BuildKit itself builds them, from the Dockerfiles in standins, so their
// configurations, histories and shared layers are what real images have.
// Packages come from the mirror that this machine's apt uses. Certificates
// that this machine trusts beyond the usual ones are trusted in the images too.
// The result is a registry's storage folder: every later start links it into
// its slot, so digests never change as long as the recipe doesn't.

// extraCAs is where Debian and its relatives keep additional certificates.
const extraCAs = "/usr/local/share/ca-certificates"

//go:embed all:standins
var recipes embed.FS

// StandIn is an image to build and to serve in place of a real one.
type StandIn struct {
	// Refs are the names that FROM lines use: "node:18-alpine",
	// "gcr.io/distroless/static:nonroot".
	Refs          []string
	Dockerfile    []byte
	Context       string            // a folder; empty means none
	NamedContexts map[string]string // more folders, for COPY --from
	BuildArgs     map[string]string
	Platforms     []string
}

// AddStandIn builds a stand-in image and serves it. It is for images that only
// few need; it lasts as long as the sandbox, and BuildKit's cache makes it
// quick the next time. It does nothing where images come from Docker Hub.
func (sb *Sandbox) AddStandIn(ctx context.Context, image StandIn) error {
	if sb.Hub {
		return nil
	}
	return sb.pushStandIn(ctx, image)
}

func (sb *Sandbox) pushStandIn(ctx context.Context, image StandIn) error {
	names := make([]string, len(image.Refs))
	for i, ref := range image.Refs {
		names[i] = sb.Image(ref)
	}
	sb.log("building the stand-in image %s", image.Refs[0])
	_, err := sb.Build(ctx, BuildRequest{
		Context:       image.Context,
		Dockerfile:    image.Dockerfile,
		NamedContexts: image.NamedContexts,
		BuildArgs:     image.BuildArgs,
		Platforms:     image.Platforms,
		Push:          strings.Join(names, ","),
		// Nobody gains from compressing what never leaves the machine.
		ExportAttrs: map[string]string{"compression": "uncompressed", "oci-mediatypes": "true"},
	})
	if err != nil {
		return fmt.Errorf("making the stand-in image %s: %w", image.Refs[0], err)
	}
	return nil
}

// looked is what a seeder found, or why it found nothing.
type looked struct {
	seeder *seeder
	err    error
}

// lookForIngredients finds out, while the daemons start, what the stand-in
// images are to be made of: apt alone takes a second to answer.
func (sb *Sandbox) lookForIngredients(ctx context.Context) <-chan looked {
	found := make(chan looked, 1)
	if sb.Hub {
		found <- looked{}
		return found
	}
	go func() {
		mirrors, err := hostArchive(ctx)
		if err != nil {
			found <- looked{nil, err}
			return
		}
		s := &seeder{Sandbox: sb, archive: mirrors}
		found <- looked{s, s.look(ctx)}
	}()
	return found
}

// seed fills the registry with the stand-in images.
func (sb *Sandbox) seed(ctx context.Context, ingredients <-chan looked) error {
	if sb.Hub {
		return nil
	}
	found := <-ingredients
	if found.err != nil {
		return fmt.Errorf("seeding stand-in images: %w", found.err)
	}
	s := found.seeder
	seeded := filepath.Join(sb.cache, "seed", s.key)
	if !isDir(seeded) {
		unlock, err := lock(ctx, filepath.Join(sb.cache, "seed", "lock"), sb.log)
		if err != nil {
			return err
		}
		defer unlock()
	}
	if isDir(seeded) {
		return linkTree(seeded, sb.slot.path("registry"))
	}
	sb.log("Docker Hub can't be reached: making stand-in images (minutes, once)")
	if err := s.build(ctx); err != nil {
		return fmt.Errorf("seeding stand-in images: %w", err)
	}
	partial := seeded + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return fmt.Errorf("keeping the stand-in images: %w", err)
	}
	if err := linkTree(sb.slot.path("registry"), partial); err != nil {
		return fmt.Errorf("keeping the stand-in images: %w", err)
	}
	return os.Rename(partial, seeded)
}

// seeder makes the stand-in images out of what this machine has.
type seeder struct {
	*Sandbox
	archive archive
	goRoot  string
	goVer   string   // "1.26.8"
	node    hostNode // zero if this machine's Node.js can't be moved
	cas     []string // paths of extra certificates
	baseKey string   // what decides debian's root file system
	key     string   // what decides all images
	work    string   // a folder for the making
}

// look finds out what the images are going to be made of.
func (s *seeder) look(ctx context.Context) (err error) {
	if s.cas, err = filepath.Glob(extraCAs + "/*.crt"); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOVERSION")
	cmd.Dir = s.module
	env, err := output(cmd)
	if err != nil {
		return err
	}
	root, version, ok := strings.Cut(env, "\n")
	if !ok {
		return errors.New("go env told no GOVERSION: install a Go of version 1.21 or later")
	}
	s.goRoot, s.goVer = root, strings.TrimPrefix(version, "go")
	s.node = findHostNode(ctx)

	base := sha256.New()
	fmt.Fprintln(base, s.archive)
	for _, path := range s.cas {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(base, "%s %x\n", filepath.Base(path), sha256.Sum256(b))
	}
	all := sha256.New()
	err = fs.WalkDir(recipes, "standins", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := recipes.ReadFile(path)
		h := all
		if strings.HasPrefix(path, "standins/debian-rootfs/") {
			h = base
		}
		fmt.Fprintf(h, "%s %x\n", path, sha256.Sum256(b))
		return err
	})
	if err != nil {
		return err
	}
	s.baseKey = hex.EncodeToString(base.Sum(nil))[:16]
	fmt.Fprintln(all, s.baseKey, s.goVer, s.node.version)
	s.key = hex.EncodeToString(all.Sum(nil))[:16]
	return nil
}

// build makes every image, in the order in which they need each other.
func (s *seeder) build(ctx context.Context) (err error) {
	if err := s.removeLeftovers(); err != nil {
		return err
	}
	if s.work, err = os.MkdirTemp(filepath.Join(s.cache, "seed"), "work-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.work)
	if err := os.CopyFS(s.work, recipes); err != nil {
		return err
	}
	for _, make := range []func(context.Context) (StandIn, error){
		s.debian, s.buildpackDeps, s.golang, s.nodeImage("node:20-bookworm-slim", "debian:bookworm-slim"),
		s.nodeImage("node:20-bookworm", "buildpack-deps:bookworm"), s.busybox,
	} {
		image, err := make(ctx)
		if err != nil {
			return err
		}
		if err := s.pushStandIn(ctx, image); err != nil {
			return err
		}
	}
	return nil
}

// removeLeftovers removes the folders of seeders that were killed. Only one
// seeder works on a cache at a time.
func (s *seeder) removeLeftovers() error {
	left, err := filepath.Glob(filepath.Join(s.cache, "seed", "work-*"))
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// recipe reads a file of standins.
func recipe(name string) ([]byte, error) {
	b, err := recipes.ReadFile("standins/" + name)
	if err != nil {
		return nil, fmt.Errorf("reading the recipe %s: %w", name, err)
	}
	return b, nil
}
