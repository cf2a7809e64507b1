package frontend

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// rootfs is the root file system of a base image, for rules to ask what lies at
// a place. Nothing is solved until one does; then BuildKit pulls what the build
// is about to run on.
type rootfs struct {
	ctx    context.Context
	client client.Client
	ref    string // with its digest
	want   ocispec.Platform

	mu      sync.Mutex
	image   client.Reference
	err     error
	folders map[string]map[string]*fstypes.Stat
}

var _ fs.ReadLinkFS = (*rootfs)(nil)

// Lstat implements [fs.ReadLinkFS]. The folders above the name must be no
// links: BuildKit would follow them.
func (r *rootfs) Lstat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrInvalid}
	}
	entries, err := r.folder(path.Dir(name))
	if err != nil {
		return nil, unknown("lstat", name, err)
	}
	st, ok := entries[path.Base(name)]
	if !ok {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
	}
	return info{st}, nil
}

// ReadLink implements [fs.ReadLinkFS].
func (r *rootfs) ReadLink(name string) (string, error) {
	st, err := r.Lstat(name)
	if err != nil {
		return "", err
	}
	if st.Mode().Type() != fs.ModeSymlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return st.Sys().(*fstypes.Stat).Linkname, nil
}

// Open implements [fs.FS], and opens nothing.
func (r *rootfs) Open(name string) (fs.File, error) {
	return nil, unknown("open", name, errors.New("the files of a base image are not read"))
}

func (r *rootfs) folder(dir string) (map[string]*fstypes.Stat, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.image == nil && r.err == nil {
		r.image, r.err = r.solve()
	}
	if r.err != nil {
		return nil, r.err
	}
	if entries, ok := r.folders[dir]; ok {
		return entries, nil
	}
	entries, err := list(r.ctx, r.image, dir)
	if err != nil {
		return nil, err
	}
	r.folders[dir] = entries
	return entries, nil
}

func (r *rootfs) solve() (client.Reference, error) {
	st := llb.Image(r.ref, llb.Platform(r.want), llb.WithCustomName("[internal] imgmgr: look at the base image"))
	def, err := st.Marshal(r.ctx, llb.WithCaps(r.client.BuildOpts().LLBCaps))
	if err != nil {
		return nil, err
	}
	res, err := r.client.Solve(r.ctx, client.SolveRequest{Definition: def.ToPB()})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}
