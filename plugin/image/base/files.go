package base

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"

	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// opener opens an image whose layers are to be read, and says how many bytes
// there are; 0 where only its layers say so.
type opener func() (image.Source, int64, error)

// rootKey is what the files of an image are kept under. A layer's table can't be
// under it.
func rootKey(id digest.Digest) digest.Digest {
	return digest.FromString(keeper.Name + " of " + id.String())
}

// addFiles gives an image its files, which nothing is done for until a rule asks.
func (r *Resolver) addFiles(f *found, img *image.Image, key digest.Digest, open opener) {
	f.image.Files = &lazy{read: sync.OnceValues(func() (*rootfs, error) {
		root, err := r.read(img, key, open)
		if err != nil {
			r.mu.Lock()
			r.unread[familiar(img.Name)] = err
			r.mu.Unlock()
		}
		return root, err
	})}
}

// read takes the files from the cache on disk, or reads the layers.
func (r *Resolver) read(img *image.Image, key digest.Digest, open opener) (*rootfs, error) {
	if r.opts.Tables != nil {
		if t, ok := r.opts.Tables.Get(key); ok {
			return newRootfs(t), nil
		}
	}
	if r.opts.ReadBytes == 0 {
		return nil, errors.New("its layers were not read")
	}
	src, size, err := open()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	for _, layer := range img.Layers {
		size += layer.Compressed
	}
	if size > r.opts.ReadBytes {
		return nil, fmt.Errorf("it has %d bytes, and no more than %d are read for a lint", size, r.opts.ReadBytes)
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.opts.ReadTime)
	defer cancel()
	platform := platformOf(img)
	whole, err := src.Read(ctx, platform, &image.Walker{Visitors: []image.Visitor{keeper}, Cache: r.opts.Tables})
	if err != nil {
		return nil, err
	}
	t := flatten(whole)
	if r.opts.Tables != nil {
		r.opts.Tables.Put(key, t)
	}
	return newRootfs(t), nil
}

// lazy is a root file system that is read when it is asked for something.
type lazy struct{ read func() (*rootfs, error) }

var _ fs.ReadLinkFS = (*lazy)(nil)

func (l *lazy) Open(name string) (fs.File, error) {
	root, err := l.read()
	if err != nil {
		return nil, unknownFile("open", name, err)
	}
	return root.Open(name)
}

func (l *lazy) Lstat(name string) (fs.FileInfo, error) {
	root, err := l.read()
	if err != nil {
		return nil, unknownFile("lstat", name, err)
	}
	return root.Lstat(name)
}

func (l *lazy) ReadLink(name string) (string, error) {
	root, err := l.read()
	if err != nil {
		return "", unknownFile("readlink", name, err)
	}
	return root.ReadLink(name)
}

// unknownFile is the error for what isn't known of an image's files.
func unknownFile(op, name string, why error) error {
	return &fs.PathError{Op: op, Path: name, Err: fmt.Errorf("%w: %w", facts.ErrUnknown, why)}
}

// platformOf is the platform of an image, as sources take it.
func platformOf(img *image.Image) string { return platforms.Format(platforms.Normalize(img.Platform)) }
