package oracle

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Reader reads images. Images that are compared share most of their layers,
// and a Reader looks at each layer once. The zero value is ready, also for
// several goroutines.
type Reader struct {
	mu     sync.Mutex
	layers map[v1.Hash][]record
}

// record is one entry of a layer's tar, in order.
type record struct {
	path     string
	entry    Entry
	hardLink string // the path whose content it shares
}

// Pull reads an image from a registry: ref may name an index, and platform,
// "linux/amd64", says which of its images is meant. Loopback registries are
// spoken to in plain http.
func (r *Reader) Pull(ctx context.Context, ref, platform string) (Image, error) {
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return Image{}, fmt.Errorf("reading an image: %w", err)
	}
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		return Image{}, fmt.Errorf("reading %s: %w", ref, err)
	}
	img, err := remote.Image(parsed, remote.WithContext(ctx), remote.WithPlatform(*p))
	if err != nil {
		return Image{}, fmt.Errorf("pulling %s: %w", ref, err)
	}
	out, err := r.Read(img)
	if err != nil {
		return Image{}, fmt.Errorf("reading %s: %w", ref, err)
	}
	return out, nil
}

// Read flattens an image's layers and its configuration.
func (r *Reader) Read(img v1.Image) (Image, error) {
	raw, err := img.RawConfigFile()
	if err != nil {
		return Image{}, fmt.Errorf("reading the image configuration: %w", err)
	}
	config, history, err := ParseConfig(raw)
	if err != nil {
		return Image{}, err
	}
	layers, err := img.Layers()
	if err != nil {
		return Image{}, fmt.Errorf("listing the layers: %w", err)
	}
	tree := Tree{}
	for i, layer := range layers {
		records, err := r.layer(layer)
		if err != nil {
			return Image{}, fmt.Errorf("reading layer %d: %w", i, err)
		}
		if err := tree.apply(records); err != nil {
			return Image{}, fmt.Errorf("applying layer %d: %w", i, err)
		}
	}
	return Image{Tree: tree, Config: config, History: history}, nil
}

func (r *Reader) layer(layer v1.Layer) ([]record, error) {
	id, err := layer.DiffID()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	records, ok := r.layers[id]
	r.mu.Unlock()
	if ok {
		return records, nil
	}
	stream, err := layer.Uncompressed()
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	if records, err = readTar(stream); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.layers == nil {
		r.layers = map[v1.Hash][]record{}
	}
	r.layers[id] = records
	return records, nil
}

func readTar(stream io.Reader) ([]record, error) {
	var out []record
	files := tar.NewReader(stream)
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		rec := record{path: path.Clean("/" + h.Name), entry: entry(h)}
		if h.Typeflag == tar.TypeLink {
			rec.hardLink = path.Clean("/" + h.Linkname)
		}
		if rec.entry.Type == "file" {
			sum := sha256.New()
			if rec.entry.Size, err = io.Copy(sum, files); err != nil {
				return nil, fmt.Errorf("%s: %w", h.Name, err)
			}
			rec.entry.Digest = "sha256:" + hex.EncodeToString(sum.Sum(nil))
		}
		out = append(out, rec)
	}
}

// entry is what a tar header says, without the content.
func entry(h *tar.Header) Entry {
	e := Entry{
		Type: "file",
		Mode: h.FileInfo().Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky),
		UID:  h.Uid, GID: h.Gid,
	}
	for key, value := range h.PAXRecords {
		if name, ok := strings.CutPrefix(key, "SCHILY.xattr."); ok {
			if e.Xattrs == nil {
				e.Xattrs = map[string]string{}
			}
			e.Xattrs[name] = value
		}
	}
	switch h.Typeflag {
	case tar.TypeDir:
		e.Type = "dir"
	case tar.TypeSymlink:
		e.Type, e.Link = "symlink", h.Linkname
	case tar.TypeFifo:
		e.Type = "fifo"
	case tar.TypeChar, tar.TypeBlock:
		e.Type = map[byte]string{tar.TypeChar: "char", tar.TypeBlock: "block"}[h.Typeflag]
		e.Device = fmt.Sprintf("%d:%d", h.Devmajor, h.Devminor)
	}
	return e
}

// Names of whiteouts, as the OCI image specification defines them in
// "Representing Changes".
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// apply puts a layer on top of the tree. Whiteouts are about the layers
// below, wherever in the layer they stand, so they come first.
func (t Tree) apply(records []record) error {
	for _, rec := range records {
		dir, base := path.Split(rec.path)
		switch {
		case base == opaque:
			t.removeBelow(path.Clean(dir))
		case strings.HasPrefix(base, whiteout):
			gone := path.Join(dir, strings.TrimPrefix(base, whiteout))
			delete(t, gone)
			t.removeBelow(gone)
		}
	}
	for _, rec := range records {
		if strings.HasPrefix(path.Base(rec.path), whiteout) {
			continue
		}
		e := rec.entry
		if rec.hardLink != "" {
			target, ok := t[rec.hardLink]
			if !ok {
				return fmt.Errorf("%s is a hard link to %s, which is not there", rec.path, rec.hardLink)
			}
			e = target
		}
		if old, ok := t[rec.path]; ok && old.Type == "dir" && e.Type != "dir" {
			t.removeBelow(rec.path)
		}
		t[rec.path] = e
	}
	return nil
}

// removeBelow removes everything below dir, but not dir.
func (t Tree) removeBelow(dir string) {
	prefix := strings.TrimSuffix(dir, "/") + "/"
	maps.DeleteFunc(t, func(p string, _ Entry) bool { return p != dir && strings.HasPrefix(p, prefix) })
}

// ParseConfig flattens an image configuration and takes its history out. Of the
// history it keeps what was done and whether that made a layer.
func ParseConfig(raw []byte) (Config, []string, error) {
	var doc map[string]any
	var past struct {
		History []struct {
			CreatedBy  string `json:"created_by"`
			EmptyLayer bool   `json:"empty_layer"`
		}
	}
	if err := errors.Join(json.Unmarshal(raw, &doc), json.Unmarshal(raw, &past)); err != nil {
		return nil, nil, fmt.Errorf("parsing the image configuration: %w", err)
	}
	delete(doc, "created")
	delete(doc, "rootfs") // digests of layers, which contain times
	delete(doc, "history")
	var steps []string
	for _, h := range past.History {
		if h.EmptyLayer {
			h.CreatedBy += " (no layer)"
		}
		steps = append(steps, h.CreatedBy)
	}
	config := Config{}
	config.flatten("", doc)
	return config, steps, nil
}

func (c Config) flatten(name string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			c.flatten(strings.TrimPrefix(name+"."+key, "."), inner)
		}
	case []any:
		for i, inner := range value {
			c.flatten(name+"["+strconv.Itoa(i)+"]", inner)
		}
	default:
		c[name] = fmt.Sprint(value)
	}
}
