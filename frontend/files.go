package frontend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/imgmgr/imgmgr/lint/facts"
)

// files is the main build context. It fetches what is asked for and no more:
// the whole context travels once, for the build.
//
// A folder on the client's side is asked for one directory's well-known names
// at a time, so that the rules' questions about a project cost one exchange.
// Contexts that BuildKit has in one piece anyway (git, archives, inputs) are
// read where they are.
//
// Symbolic links can be looked at, and are not followed. What can't be asked
// for, or not be read, gives [facts.ErrUnknown], never fs.ErrNotExist.
type files struct {
	ctx    context.Context
	client client.Client
	ui     *dockerui.Client

	mu      sync.Mutex
	fetched map[string]*folder // by what was asked for
}

var (
	_ fs.StatFS     = (*files)(nil)
	_ fs.ReadFileFS = (*files)(nil)
	_ fs.ReadLinkFS = (*files)(nil)
)

func newFiles(ctx context.Context, c client.Client, ui *dockerui.Client) *files {
	return &files{ctx: ctx, client: c, ui: ui, fetched: map[string]*folder{}}
}

// folder is one directory of the context, as far as it was fetched.
type folder struct {
	ref     client.Reference
	entries map[string]*fstypes.Stat
	err     error
}

// Lstat implements [fs.ReadLinkFS].
func (f *files) Lstat(name string) (fs.FileInfo, error) {
	if name == "." {
		return info{&fstypes.Stat{Path: ".", Mode: uint32(fs.ModeDir | 0o755)}}, nil
	}
	_, st, err := f.find("lstat", name)
	if err != nil {
		return nil, err
	}
	return info{st}, nil
}

// ReadLink implements [fs.ReadLinkFS].
func (f *files) ReadLink(name string) (string, error) {
	_, st, err := f.find("readlink", name)
	if err != nil {
		return "", err
	}
	if fs.FileMode(st.Mode).Type() != fs.ModeSymlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return st.Linkname, nil
}

// Stat implements [fs.StatFS].
func (f *files) Stat(name string) (fs.FileInfo, error) {
	st, err := f.Lstat(name)
	if err == nil && st.Mode().Type() == fs.ModeSymlink {
		return nil, unknown("stat", name, errors.New("a symbolic link"))
	}
	return st, err
}

// ReadFile implements [fs.ReadFileFS].
func (f *files) ReadFile(name string) ([]byte, error) {
	in, st, err := f.find("read", name)
	if err != nil {
		return nil, err
	}
	if !fs.FileMode(st.Mode).IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("not a regular file: %w", facts.ErrUnknown)}
	}
	data, err := dockerui.ReadFile(f.ctx, in.ref, name)
	if err != nil {
		return nil, unknown("read", name, err)
	}
	return data, nil
}

// Open implements [fs.FS]. A directory can't be listed.
func (f *files) Open(name string) (fs.File, error) {
	st, err := f.Stat(name)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return &openFile{info: st, name: name}, nil
	}
	data, err := f.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &openFile{info: st, name: name, data: bytes.NewReader(data)}, nil
}

func unknown(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: fmt.Errorf("%w: %w", facts.ErrUnknown, err)}
}

// find returns a name's entry and the folder that it lies in.
func (f *files) find(op, name string) (*folder, *fstypes.Stat, error) {
	if !fs.ValidPath(name) {
		return nil, nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if strings.ContainsAny(name, `*?[]\!`) || strings.TrimSpace(name) != name {
		return nil, nil, unknown(op, name, errors.New("the name has a meaning of its own in a pattern"))
	}
	dir, base := path.Split(name)
	dir = path.Clean(dir)
	f.mu.Lock()
	defer f.mu.Unlock()
	key, names := dir+"/", manifests()
	if !slices.Contains(names, base) {
		key, names = name, []string{base}
	}
	in, ok := f.fetched[key]
	if !ok {
		in = f.fetch(dir, names)
		f.fetched[key] = in
	}
	if in.err != nil {
		return nil, nil, unknown(op, name, in.err)
	}
	st, ok := in.entries[base]
	if !ok {
		return nil, nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return in, st, nil
}

// fetch asks for names in one directory of the context.
func (f *files) fetch(dir string, names []string) *folder {
	ref, err := f.solve(dir, names)
	if err != nil {
		return &folder{err: err}
	}
	if ref == nil { // an empty context
		return &folder{}
	}
	// Each step of the way is looked at, for a link may lead elsewhere.
	at := "."
	for _, step := range strings.Split(dir, "/") {
		if step == "." {
			break
		}
		entries, err := list(f.ctx, ref, at)
		if err != nil {
			return &folder{err: err}
		}
		st, ok := entries[step]
		switch {
		case !ok:
			return &folder{ref: ref}
		case !fs.FileMode(st.Mode).IsDir():
			return &folder{err: fmt.Errorf("%s is not a directory", path.Join(at, step))}
		}
		at = path.Join(at, step)
	}
	entries, err := list(f.ctx, ref, at)
	return &folder{ref: ref, entries: entries, err: err}
}

func list(ctx context.Context, ref client.Reference, dir string) (map[string]*fstypes.Stat, error) {
	stats, err := ref.ReadDir(ctx, client.ReadDirRequest{Path: dir})
	if err != nil {
		return nil, err
	}
	entries := map[string]*fstypes.Stat{}
	for _, st := range stats {
		entries[path.Base(st.Path)] = st
	}
	return entries, nil
}

// solve has BuildKit fetch names from one directory. A folder on the client's
// side is told which; contexts of other kinds are solved whole, as the build
// will.
//
// What lies in a directory that is asked for by name (node_modules) isn't
// wanted: it is excluded, behind the patterns of .dockerignore, which an option
// given here replaces. Only where those take something back ("!vendor/keep")
// it travels too, for then an exclusion could hide what the build will see.
func (f *files) solve(dir string, names []string) (client.Reference, error) {
	ignored, err := f.ui.DockerIgnorePatterns(f.ctx)
	if err != nil {
		return nil, fmt.Errorf("read .dockerignore: %w", err)
	}
	exceptions := slices.ContainsFunc(ignored, func(p string) bool { return strings.HasPrefix(p, "!") })
	excluded := slices.Clone(ignored)
	var follow []string
	for _, name := range names {
		name = path.Join(dir, name)
		follow = append(follow, name)
		if !exceptions {
			excluded = append(excluded, name+"/*")
		}
	}
	// Of its own key, or the build's copy of the context would lose all else.
	return f.load("imgmgr:"+dir, llb.FollowPaths(follow), llb.ExcludePatterns(excluded))
}

// load has BuildKit load a part of the context, kept under a key of its own
// between builds. It is nil for an empty context.
func (f *files) load(key string, opts ...llb.LocalOption) (client.Reference, error) {
	opts = append(opts, llb.SharedKeyHint(key), dockerui.WithInternalName("imgmgr: look at the build context"))
	st, err := f.ui.MainContext(f.ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("load the build context: %w", err)
	}
	def, err := st.Marshal(f.ctx, llb.WithCaps(f.client.BuildOpts().LLBCaps))
	if err != nil {
		return nil, fmt.Errorf("load the build context: %w", err)
	}
	res, err := f.client.Solve(f.ctx, client.SolveRequest{Definition: def.ToPB()})
	if err != nil {
		return nil, fmt.Errorf("load the build context: %w", err)
	}
	return res.SingleRef()
}

// info is an entry as [fs.FileInfo].
type info struct{ st *fstypes.Stat }

func (i info) Name() string       { return path.Base(i.st.Path) }
func (i info) Size() int64        { return i.st.Size }
func (i info) Mode() fs.FileMode  { return fs.FileMode(i.st.Mode) }
func (i info) ModTime() time.Time { return time.Unix(0, i.st.ModTime) }
func (i info) IsDir() bool        { return i.Mode().IsDir() }
func (i info) Sys() any           { return i.st }

// openFile is an opened entry; data is nil but for a regular file.
type openFile struct {
	info fs.FileInfo
	name string
	data *bytes.Reader
}

func (o *openFile) Stat() (fs.FileInfo, error) { return o.info, nil }
func (o *openFile) Close() error               { return nil }

func (o *openFile) Read(p []byte) (int, error) {
	if o.data == nil {
		return 0, &fs.PathError{Op: "read", Path: o.name, Err: fs.ErrInvalid}
	}
	return o.data.Read(p)
}
