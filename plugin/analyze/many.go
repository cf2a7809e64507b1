package analyze

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"

	"github.com/imgmgr/imgmgr/plugin/analyze/shared"
	"github.com/imgmgr/imgmgr/plugin/distribution"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// atOnce is how many images are described at one time.
const atOnce = 8

// RunAll tells what the images of a registry share: those of the repositories
// that match the pattern in HOST/PATTERN. Manifests and configurations are read,
// no layers.
func RunAll(ctx context.Context, streams ui.Streams, o Options) error {
	names, err := repositoryTags(ctx, o.Image)
	if err != nil {
		return err
	}
	images, unread, err := o.describeAll(ctx, streams, names)
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

// repositoryTags are the tags of the repositories that match, as references.
func repositoryTags(ctx context.Context, place string) (names []string, err error) {
	host, pattern, _ := strings.Cut(strings.TrimPrefix(place, "registry:"), "/")
	if pattern == "" {
		pattern = "**"
	}
	if _, _, err := distribution.SplitPlace(host); err != nil || !doublestar.ValidatePattern(pattern) {
		return nil, fmt.Errorf("--all %q: name a registry, and a pattern of its repositories, as registry.example.com/team/*", place)
	}
	o := distribution.Options{}
	if dir, err := os.UserCacheDir(); err == nil {
		o.Cache = filepath.Join(dir, "imgmgr", "registry")
	}
	reg, err := distribution.Open(host, o)
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
func (o Options) describeAll(ctx context.Context, streams ui.Streams, names []string) (images []shared.Image, unread []shared.Unread, err error) {
	progress := ui.NewProgress(streams.Err, "reading images")
	defer progress.End()
	read, failed := make([]shared.Image, len(names)), make([]error, len(names))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, name := range names {
		progress.Show(i, len(names))
		g.Go(func() error {
			read[i], failed[i] = o.describeLayers(ctx, name)
			return nil
		})
	}
	if err := errors.Join(g.Wait(), ctx.Err()); err != nil {
		return nil, nil, fmt.Errorf("read the images: %w", err)
	}
	for i, name := range names {
		if failed[i] != nil {
			unread = append(unread, shared.Unread{Name: name, Error: failed[i].Error()})
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
