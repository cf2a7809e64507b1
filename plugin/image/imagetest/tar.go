package imagetest

import (
	"archive/tar"
	"bytes"
	"cmp"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"
)

// Content is what is in a file: the same bytes for the same size and name.
func (e Entry) Content() []byte {
	line := cmp.Or(e.content, e.Path) + "\n"
	out := bytes.Repeat([]byte(line), int(e.Size)/len(line)+1)[:e.Size]
	if e.Sparse > 0 {
		clear(out[e.Sparse:])
	}
	return out
}

// Tar is a layer as an uncompressed tar. Its times don't change, so that the
// same entries give the same bytes.
func Tar(t testing.TB, entries []Entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		err := w.Flush()
		if err == nil {
			err = e.write(w, &out)
		}
		if err != nil {
			t.Fatalf("%s %s: %v", e.Kind, e.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (e Entry) write(w *tar.Writer, out *bytes.Buffer) error {
	if e.Sparse > 0 {
		_, err := out.Write(e.sparse())
		return err
	}
	h := &tar.Header{Name: e.Path, Mode: e.Mode, Uid: e.UID, Gid: e.GID, ModTime: time.Unix(1700000000, 0)}
	switch e.Kind {
	case "file":
		h.Typeflag, h.Size = tar.TypeReg, e.Size
	case "dir":
		h.Typeflag, h.Name = tar.TypeDir, e.Path+"/"
	case "link":
		h.Typeflag, h.Linkname = tar.TypeLink, e.Target
	case "symlink":
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.Target
	case "fifo":
		h.Typeflag = tar.TypeFifo
	case "device":
		h.Typeflag, h.Devmajor, h.Devminor = tar.TypeChar, 1, 3
	case "whiteout":
		h.Typeflag, h.Name = tar.TypeReg, path.Join(path.Dir(e.Path), ".wh."+path.Base(e.Path))
	case "opaque":
		h.Typeflag, h.Name = tar.TypeReg, path.Join(e.Path, ".wh..wh..opq")
	default:
		return fmt.Errorf("unknown kind %q", e.Kind)
	}
	if e.Xattr[0] != "" {
		h.PAXRecords = map[string]string{"SCHILY.xattr." + e.Xattr[0]: e.Xattr[1]}
	}
	if err := w.WriteHeader(h); err != nil || e.Kind != "file" {
		return err
	}
	_, err := w.Write(e.Content())
	return err
}

// sparse is a sparse file in GNU tar's format 1.0, which archive/tar reads but
// doesn't write: the map of the data stands before the data.
func (e Entry) sparse() []byte {
	var out bytes.Buffer
	records := ""
	for _, r := range []string{
		"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=" + e.Path, fmt.Sprintf("GNU.sparse.realsize=%d", e.Size),
	} {
		n := len(r) + len(" \n")
		for size := 0; size != n+len(fmt.Sprint(size)); {
			size = n + len(fmt.Sprint(size))
			if size == n+len(fmt.Sprint(size)) {
				records += fmt.Sprintf("%d %s\n", size, r)
			}
		}
	}
	place := fmt.Sprintf("1\n0\n%d\n", e.Sparse)
	data := append(pad([]byte(place)), e.Content()[:e.Sparse]...)
	out.Write(header('x', "PaxHeaders/"+e.Path, len(records)))
	out.Write(pad([]byte(records)))
	out.Write(header('0', "GNUSparseFile.0/"+e.Path, len(data)))
	out.Write(pad(data))
	return out.Bytes()
}

// header is one block in the ustar format.
func header(kind byte, name string, size int) []byte {
	block := make([]byte, 512)
	copy(block, name)
	copy(block[100:], "0000644\x000000000\x000000000\x00"+fmt.Sprintf("%011o\x00", size)+"14524770400\x00"+strings.Repeat(" ", 8))
	block[156] = kind
	copy(block[257:], "ustar\x0000")
	sum := 0
	for _, b := range block {
		sum += int(b)
	}
	copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
	return block
}

func pad(data []byte) []byte {
	return append(data, make([]byte, (512-len(data)%512)%512)...)
}

// Raw is a tar of one file.
func Raw(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
