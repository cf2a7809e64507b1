// Package source picks the place that an image comes from by what a user typed.
package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/archive"
	"github.com/imgmgr/imgmgr/plugin/image/containerd"
	"github.com/imgmgr/imgmgr/plugin/image/engine"
	"github.com/imgmgr/imgmgr/plugin/image/layout"
	"github.com/imgmgr/imgmgr/plugin/image/registry"
)

// Help says in a command's help how an image can be named.
const Help = `An IMAGE is a reference, which is looked for in the Docker Engine and then in its
registry, or one of

    engine:REF           an image of the Docker Engine
    registry:REF         an image in a registry; also docker://REF
    containerd:REF       an image of containerd, at the address and in the
                         namespace that ctr takes from the environment
    oci:DIR[:REF]        an OCI layout folder
    archive:FILE[:REF]   an archive of docker save, or an OCI layout in a tar;
                         also docker-archive: and oci-archive:
    -                    such an archive on standard input

A path that begins with / or . needs no prefix.`

// engineTimeout is how long a Docker Engine may take to say whether it has an
// image, before the registry is asked.
const engineTimeout = 10 * time.Second

// Options are where to look.
type Options struct {
	// Engine connects to the Docker Engine; nil is the one that the process's
	// own arguments and environment name, as engine.Connect reads them.
	Engine func(context.Context) (engine.API, error)
	// Stdin is what "-" stands for.
	Stdin io.Reader
	// Mirrors are asked before Docker Hub.
	Mirrors []string
}

// Open finds the source that arg means, as Help says.
func Open(ctx context.Context, arg string, o Options) (image.Source, error) {
	if arg == "-" {
		return archive.NewStream(o.Stdin, "-", ""), nil
	}
	kind, rest := split(arg)
	if rest == "" {
		return nil, fmt.Errorf("%q names no image", arg)
	}
	switch kind {
	case "engine", "docker-daemon":
		return o.openEngine(ctx, rest)
	case "registry", "docker":
		return keep(registry.Open(strings.TrimPrefix(rest, "//"), o.Mirrors...))
	case "containerd":
		address := cmp.Or(os.Getenv("CONTAINERD_ADDRESS"), containerd.DefaultAddress)
		return keep(containerd.Open(ctx, address, cmp.Or(os.Getenv("CONTAINERD_NAMESPACE"), containerd.DefaultNamespace), rest))
	case "oci":
		return keep(layout.Open(file(rest)))
	case "archive", "docker-archive", "oci-archive":
		return keep(archive.Open(file(rest)))
	case "path":
		return openPath(file(rest))
	}
	return o.openAnywhere(ctx, arg)
}

// keep makes an interface of a source, and nil of no source.
func keep[S image.Source](s S, err error) (image.Source, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// port follows a host: registry:5000/app is an image of a host called registry.
var port = regexp.MustCompile(`^\d+/`)

// split takes the prefix from what was typed; kind "" is a plain reference.
func split(arg string) (kind, rest string) {
	if strings.HasPrefix(arg, "/") || strings.HasPrefix(arg, ".") {
		return "path", arg
	}
	kind, rest, _ = strings.Cut(arg, ":")
	switch kind {
	case "docker":
		if strings.HasPrefix(rest, "//") {
			return kind, rest
		}
	case "registry":
		// There is an image of that name: registry:2.
		if strings.ContainsAny(rest, ":/@") && !port.MatchString(rest) {
			return kind, rest
		}
	case "engine", "docker-daemon", "containerd", "oci", "archive", "docker-archive", "oci-archive":
		if !port.MatchString(rest) {
			return kind, rest
		}
	}
	return "", arg
}

// file splits FILE:REF where the file ends that is there. Both may contain colons.
func file(arg string) (name, ref string) {
	for i, c := range arg {
		if c == ':' {
			if _, err := os.Stat(arg[:i]); err == nil {
				if _, err := os.Stat(arg); err != nil {
					return arg[:i], arg[i+1:]
				}
			}
		}
	}
	return arg, ""
}

func openPath(name, ref string) (image.Source, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("open the image: %w", err)
	}
	if info.IsDir() {
		return keep(layout.Open(name, ref))
	}
	return keep(archive.Open(name, ref))
}

func (o Options) openEngine(ctx context.Context, ref string) (image.Source, error) {
	connect := o.Engine
	if connect == nil {
		connect = func(ctx context.Context) (engine.API, error) { return engine.Connect(ctx, os.Args[1:]) }
	}
	api, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	return keep(engine.Open(ctx, api, ref))
}

// openAnywhere asks the engine first.
func (o Options) openAnywhere(ctx context.Context, ref string) (image.Source, error) {
	remote, err := registry.Open(ref, o.Mirrors...)
	if err != nil {
		return nil, err
	}
	short, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	local, err := o.openEngine(short, ref)
	if err == nil {
		return local, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return &second{Source: remote, first: err}, nil
}

// second is the source that is left after another one failed.
type second struct {
	*registry.Source
	first error
}

func (s *second) Read(ctx context.Context, platform string, w *image.Walker) (*image.Image, error) {
	img, err := s.Source.Read(ctx, platform, w)
	if err != nil && !errors.Is(s.first, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (before: %w)", err, s.first)
	}
	return img, err
}
