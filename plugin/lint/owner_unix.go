//go:build unix

package lint

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives f the owner and group that info has, where the user may: the
// other is the user's own file.
func keepOwner(f *os.File, info fs.FileInfo) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = f.Chown(int(stat.Uid), int(stat.Gid))
	}
}
