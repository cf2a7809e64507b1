package frontend

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/imgmgr/imgmgr/lint/facts"
)

var _ facts.Finder = (*files)(nil)

// listing is the file that BuildKit writes in place of the files themselves
// where only their metadata was sent (fsutil, receive.go). A context that isn't
// a folder on the client's side has none.
const listing = ".fsutil-metadata"

// maxFolders bounds how many folders are looked at, one question each, where
// BuildKit has the context in one piece.
const maxFolders = 2_000

// FindSuffix implements [facts.Finder]. A client sends some hundred bytes for
// each file that is found, and nothing of what is in it.
func (f *files) FindSuffix(suffixes ...string) (string, error) {
	found, err := f.findSuffix(suffixes)
	if err != nil {
		return "", fmt.Errorf("look for files in the build context: %w: %w", facts.ErrUnknown, err)
	}
	return found, nil
}

func (f *files) findSuffix(suffixes []string) (string, error) {
	caps := f.client.BuildOpts().LLBCaps
	if err := caps.Supports(pb.CapSourceMetadataTransfer); err != nil {
		return "", err
	}
	var patterns []string
	for _, s := range suffixes {
		if strings.ContainsAny(s, `*?[]\!/`) {
			return "", fmt.Errorf("%q has a meaning of its own in a pattern", s)
		}
		patterns = append(patterns, "**/*"+s)
	}
	ref, err := f.load("imgmgr:find", llb.IncludePatterns(patterns), llb.MetadataOnlyTransfer(nil))
	if err != nil || ref == nil {
		return "", err
	}
	data, err := ref.ReadFile(f.ctx, client.ReadRequest{Filename: listing})
	if err != nil {
		return f.walk(ref, suffixes)
	}
	stats, err := readListing(data)
	if err != nil {
		return "", err
	}
	return firstWith(stats, suffixes), nil
}

// readListing reads the entries of a listing: for each its length in four
// bytes, the lowest first, and a message.
func readListing(data []byte) ([]*fstypes.Stat, error) {
	var stats []*fstypes.Stat
	for len(data) > 0 {
		if len(data) < 4 || uint64(len(data)-4) < uint64(binary.LittleEndian.Uint32(data)) {
			return nil, errors.New("the list of its files is cut off")
		}
		n := binary.LittleEndian.Uint32(data)
		st := &fstypes.Stat{}
		if err := st.UnmarshalVT(data[4 : 4+n]); err != nil {
			return nil, fmt.Errorf("read the list of its files: %w", err)
		}
		stats, data = append(stats, st), data[4+n:]
	}
	return stats, nil
}

// firstWith is the path of the first entry that is no folder and ends with one
// of the suffixes; "" where there is none.
func firstWith(stats []*fstypes.Stat, suffixes []string) string {
	for _, st := range stats {
		if !fs.FileMode(st.Mode).IsDir() && slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(st.Path, s) }) {
			return st.Path
		}
	}
	return ""
}

// walk looks through all folders of a context.
func (f *files) walk(ref client.Reference, suffixes []string) (string, error) {
	folders := []string{"."}
	for i := 0; i < len(folders); i++ {
		if i == maxFolders {
			return "", fmt.Errorf("it has more than %d folders", maxFolders)
		}
		entries, err := list(f.ctx, ref, folders[i])
		if err != nil {
			return "", err
		}
		for name, st := range entries {
			st.Path = path.Join(folders[i], name)
			if fs.FileMode(st.Mode).IsDir() {
				folders = append(folders, st.Path)
			}
			if found := firstWith([]*fstypes.Stat{st}, suffixes); found != "" {
				return found, nil
			}
		}
	}
	return "", nil
}
