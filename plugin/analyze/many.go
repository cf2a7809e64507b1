package analyze

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"

	"github.com/imgmgr/imgmgr/plugin/analyze/shared"
	"github.com/imgmgr/imgmgr/plugin/distribution"
	"github.com/imgmgr/imgmgr/plugin/folders"
	"github.com/imgmgr/imgmgr/plugin/image/engine"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// atOnce is how many images are described at one time.
const atOnce = 8

// RunAll tells what images share: those of a registry's repositories that match the
// pattern in HOST/PATTERN, or without an image all of the Docker Engine. Manifests
// and configurations are read, no layers.
func RunAll(ctx context.Context, streams ui.Streams, o Options) error {
	list := o.ofRegistry
	if o.Image == "" {
		list = ofEngine
	}
	todo, err := list(ctx)
	if err != nil {
		return err
	}
	images, unread, err := describeAll(ctx, streams, todo)
	if err != nil {
		return err
	}
	r := shared.Count(images, unread)
	if o.Format == JSON {
		e := json.NewEncoder(streams.Out)
		e.SetIndent("", "  ")
		err = e.Encode(r)
	} else {
		err = shared.Text(streams.Out, r)
	}
	if err == nil && len(unread) > 0 {
		return &ui.Exit{Code: ui.Failure}
	}
	return err
}

// subject is an image that is to be described.
type subject struct {
	names    []string
	describe func(context.Context) (shared.Image, error)
}

func (o Options) ofRegistry(ctx context.Context) (todo []subject, err error) {
	names, err := repositoryTags(ctx, o.Image)
	for _, name := range names {
		todo = append(todo, subject{[]string{name}, func(ctx context.Context) (shared.Image, error) { return o.describeLayers(ctx, name) }})
	}
	return todo, err
}

// ofEngine are the images of the engine that docker talks to.
func ofEngine(ctx context.Context) (todo []subject, err error) {
	api, err := engine.Connect(ctx, os.Args[1:])
	if err != nil {
		return nil, err
	}
	list, err := engine.List(ctx, api)
	for _, item := range list {
		todo = append(todo, subject{item.Names, func(ctx context.Context) (shared.Image, error) {
			out := shared.Image{Names: item.Names, ID: item.ID}
			layers, err := engine.LayersOf(ctx, api, item.ID)
			for _, l := range layers {
				out.Layers = append(out.Layers, shared.Layer{ID: l.DiffID, Bytes: l.Bytes})
			}
			return out, err
		}})
	}
	return todo, err
}

// repositoryTags are the tags of the repositories that match, as references.
func repositoryTags(ctx context.Context, place string) (names []string, err error) {
	host, pattern, _ := strings.Cut(strings.TrimPrefix(place, "registry:"), "/")
	if pattern == "" {
		pattern = "**"
	}
	if _, _, err := distribution.SplitPlace(host); err != nil || !doublestar.ValidatePattern(pattern) {
		return nil, fmt.Errorf("--all %q: name a registry, and a pattern of its repositories, as registry.example.com/team/*", place)
	}
	reg, err := distribution.Open(host, distribution.Options{Cache: folders.Registries()})
	if err != nil {
		return nil, err
	}
	repositories := []string{pattern}
	if strings.ContainsAny(pattern, "*?[{") {
		if repositories, err = reg.Repositories(ctx); err != nil {
			return nil, fmt.Errorf("list the repositories of %s: %w", host, err)
		}
	}
	for _, repository := range repositories {
		if !doublestar.MatchUnvalidated(pattern, repository) {
			continue
		}
		tags, err := reg.Tags(ctx, repository)
		if err != nil {
			return nil, fmt.Errorf("list the tags of %s/%s: %w", host, repository, err)
		}
		for _, tag := range tags {
			names = append(names, host+"/"+repository+":"+tag)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no repository of %s matches %s, or none has tags", host, pattern)
	}
	return names, nil
}

// describeAll reads what each image consists of. An image that can't be read
// doesn't hold up the others.
func describeAll(ctx context.Context, streams ui.Streams, todo []subject) (images []shared.Image, unread []shared.Unread, err error) {
	progress := ui.NewProgress(streams.Err, "reading images")
	defer progress.End()
	read, failed := make([]shared.Image, len(todo)), make([]error, len(todo))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, s := range todo {
		progress.Show(i, len(todo))
		g.Go(func() error {
			read[i], failed[i] = s.describe(ctx)
			return nil
		})
	}
	if err := errors.Join(g.Wait(), ctx.Err()); err != nil {
		return nil, nil, fmt.Errorf("read the images: %w", err)
	}
	for i, s := range todo {
		if failed[i] != nil {
			unread = append(unread, shared.Unread{Name: s.names[0], Error: failed[i].Error()})
			continue
		}
		images = append(images, read[i])
	}
	return images, unread, nil
}

func (o Options) describeLayers(ctx context.Context, name string) (shared.Image, error) {
	img, err := o.describe(ctx, "registry:"+name)
	if err != nil {
		return shared.Image{}, err
	}
	out := shared.Image{Names: []string{name}, ID: img.ID.String()}
	for _, l := range img.Layers {
		out.Layers = append(out.Layers, shared.Layer{ID: l.Digest.String(), Bytes: l.Compressed})
	}
	return out, nil
}
