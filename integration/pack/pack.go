//go:build linux

// Package pack makes the archives that the tests' own package indexes serve, of
// folders and of Debian's packages.
package pack

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// Folder reads all files of a folder, by their names in it.
func Folder(files fs.FS, root string) (map[string][]byte, error) {
	content := map[string][]byte{}
	err := fs.WalkDir(files, root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content[strings.TrimPrefix(file, root+"/")], err = fs.ReadFile(files, file)
		return err
	})
	return content, err
}

// TarGz packs the folder root of files, and more, under the folder prefix.
func TarGz(files fs.FS, root, prefix string, more map[string][]byte) ([]byte, error) {
	content, err := Folder(files, root)
	if err != nil {
		return nil, err
	}
	maps.Copy(content, more)
	placed := map[string][]byte{}
	for name, text := range content {
		placed[path.Join(prefix, name)] = text
	}
	archive, err := Tar(placed)
	if err != nil {
		return nil, err
	}
	return Gz(archive)
}

// Tar packs files by name.
func Tar(files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// Gz wraps bytes as gzip does, the same ones always into the same bytes, on
// which lock files rest: nothing is compressed, as compressors change.
func Gz(content []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.NoCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(content); err != nil {
		return nil, err
	}
	err = z.Close()
	return out.Bytes(), err
}

// Zip packs files by name, the same ones always into the same bytes.
func Zip(files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		part, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			return nil, err
		}
		if _, err := part.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Debian downloads packages from where this machine's apt gets them, and unpacks
// them into a folder. They aren't installed.
func Debian(ctx context.Context, dir string, packages ...string) error {
	script := `apt-get download -qq "$@" && for p in *.deb; do dpkg-deb --extract "$p" . && rm "$p"; done`
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-ec", script, "sh"}, packages...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("download %s: %w: %s", strings.Join(packages, ", "), err, bytes.TrimSpace(out))
	}
	return nil
}
