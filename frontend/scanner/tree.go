package scanner

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// link is a symbolic link of a root.
type link struct {
	Text   string // as it is written
	Target string // where it leads in the root, or would if it weren't broken
	Dir    bool   // to a directory
}

// links are the symbolic links of root by their paths, and the names of all of
// them and of all directories.
func links(ctx context.Context, root string) (found map[string]link, names map[string]bool, err error) {
	found, names = map[string]link{}, map[string]bool{}
	err = walk(ctx, root, func(name string, d fs.DirEntry) error {
		if !d.Type().IsRegular() {
			names[path.Base(name)] = true
		}
		if d.Type()&fs.ModeSymlink == 0 {
			return nil
		}
		text, err := os.Readlink(filepath.Join(root, name))
		if err != nil {
			return err
		}
		target, info := resolve(root, name)
		found[name] = link{Text: text, Target: target, Dir: info != nil && info.IsDir()}
		return nil
	})
	return found, names, err
}

// changes are the files and links that the layers of changed brought, and that
// are not the same in below. The value tells links.
func changes(ctx context.Context, changed, below string) (map[string]bool, error) {
	found := map[string]bool{}
	err := walk(ctx, changed, func(name string, d fs.DirEntry) error {
		if strings.Contains(name+"/", "/nix/store/") {
			return noNix
		}
		isLink := d.Type()&fs.ModeSymlink != 0
		if !isLink && !d.Type().IsRegular() { // a device may mark what a layer removed
			return nil
		}
		same, err := equal(filepath.Join(changed, name), filepath.Join(below, name))
		if err != nil {
			return err
		}
		if !same {
			found[name] = isLink
		}
		return nil
	})
	return found, err
}

// walk calls visit for all that lies below root, by its path in it.
func walk(ctx context.Context, root string, visit func(name string, d fs.DirEntry) error) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || name == root {
			return err
		}
		return visit(strings.TrimPrefix(name, strings.TrimSuffix(root, "/")), d)
	})
}

// equal reports whether two files have the same content, or two links the same
// text. The directory of b may be reached by no link that a's is not, which the
// caller sees to: see [reuse.check].
func equal(a, b string) (bool, error) {
	one, err := os.Lstat(a)
	if err != nil {
		return false, err
	}
	two, err := os.Lstat(b)
	if err != nil || one.Mode().Type() != two.Mode().Type() || one.Size() != two.Size() {
		return false, nil
	}
	if one.Mode()&fs.ModeSymlink != 0 {
		s, err := os.Readlink(a)
		if err != nil {
			return false, err
		}
		t, err := os.Readlink(b)
		return s == t, err
	}
	f, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer f.Close()
	g, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer g.Close()
	return equalContent(f, g)
}

// resolve follows name through the links of root, as the running image would,
// and never out of root. The info is nil where it leads to nothing.
func resolve(root, name string) (string, fs.FileInfo) {
	rest := strings.Split(name, "/")
	at := "/"
	for followed := 0; len(rest) > 0; {
		var next string
		switch head := rest[0]; head {
		case "", ".":
			rest = rest[1:]
			continue
		case "..":
			at, rest = path.Dir(at), rest[1:]
			continue
		default:
			next, rest = path.Join(at, head), rest[1:]
		}
		info, err := os.Lstat(filepath.Join(root, next))
		if err != nil {
			return path.Join(next, path.Join(rest...)), nil
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		text, err := os.Readlink(filepath.Join(root, next))
		if followed++; err != nil || followed > 100 {
			return next, nil
		}
		if strings.HasPrefix(text, "/") {
			at = "/"
		}
		rest = append(strings.Split(text, "/"), rest...)
	}
	info, err := os.Lstat(filepath.Join(root, at))
	if err != nil {
		return at, nil
	}
	return at, info
}
