package packages

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime/debug"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// golang are programs that Go built, and the modules that they were built of, by the
// build information that the linker puts into them. Those of Go before 1.18 have
// it elsewhere and aren't seen.
//
// debug/buildinfo wants a whole file. In a stream, the information is found by its
// magic, at a multiple of 16: see that package's source.
var golang = &manager{
	kind: "golang", version: "1",
	wants: func(f *image.File) bool { return f.Mode&0o111 != 0 && f.Size > leastProgram },
	read: func(f *image.File, content io.Reader) ([]record, error) {
		start := make([]byte, len(elfMagic))
		if _, err := io.ReadFull(content, start); err != nil || string(start) != elfMagic {
			return nil, nil
		}
		info, err := buildInfo(bufio.NewReaderSize(io.MultiReader(bytes.NewReader(start), content), 256<<10))
		if err != nil || info == nil {
			return nil, err
		}
		out := []record{{Name: "stdlib", Version: strings.TrimPrefix(info.GoVersion, "go")}}
		if info.Main.Path != "" {
			out = append(out, record{Name: info.Main.Path, Version: info.Main.Version, Bytes: f.Size})
		}
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			out = append(out, record{Name: m.Path, Version: m.Version})
		}
		return out, nil
	},
}

const (
	elfMagic     = "\x7fELF"
	leastProgram = 256 << 10 // bytes; no program that Go builds is smaller
	infoAlign    = 16
	infoHeader   = 32      // bytes: the magic, a pointer's size, flags
	infoInline   = 2       // the flag for strings that follow
	mostInfo     = 4 << 20 // bytes of a string that are read
)

// infoMagic begins the build information. It is put together here, so that this
// program doesn't find itself.
var infoMagic = append([]byte("\xff Go "), "buildinf:"...)

// buildInfo reads a program up to its build information; nil if it has none.
func buildInfo(in *bufio.Reader) (*debug.BuildInfo, error) {
	for {
		window, err := in.Peek(in.Size())
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if i := aligned(window); i >= 0 {
			if _, err := in.Discard(i); err != nil {
				return nil, err
			}
			if head, _ := in.Peek(infoHeader + len("_go")); begins(head) {
				return inline(in), nil
			}
			// A program that looks for the magic may hold it, too, before its own.
			if _, err := in.Discard(infoAlign); err != nil {
				return nil, nil
			}
			continue
		}
		if err != nil {
			return nil, nil
		}
		// The window is a multiple of the alignment: no magic lies across two.
		if _, err := in.Discard(len(window)); err != nil {
			return nil, err
		}
	}
}

// aligned is where the magic is, of a window that begins at a multiple of its
// alignment; -1 if it isn't there.
func aligned(window []byte) int {
	for at := 0; ; {
		i := bytes.Index(window[at:], infoMagic)
		if i < 0 {
			return -1
		}
		if at += i; at%infoAlign == 0 {
			return at
		}
		at++
	}
}

// begins tells whether a header and the start of Go's version come after the magic.
func begins(head []byte) bool {
	return len(head) > infoHeader && head[len(infoMagic)+1]&infoInline != 0 &&
		(bytes.HasPrefix(head[infoHeader+1:], []byte("go")) || bytes.HasPrefix(head[infoHeader+1:], []byte("de"))) // go1.26, devel
}

// inline reads two strings after a header: Go's version, and the modules between
// two markers of 16 bytes.
func inline(in *bufio.Reader) *debug.BuildInfo {
	head := make([]byte, infoHeader)
	if _, err := io.ReadFull(in, head); err != nil {
		return nil
	}
	version, modules := infoString(in), infoString(in)
	if len(modules) < 2*infoAlign || version == "" {
		return nil
	}
	info, err := debug.ParseBuildInfo(modules[infoAlign : len(modules)-infoAlign])
	if err != nil {
		return nil
	}
	info.GoVersion = version
	return info
}

// infoString is a length and so many bytes; "" where that makes no sense.
func infoString(in *bufio.Reader) string {
	n, err := binary.ReadUvarint(in)
	if err != nil || n > mostInfo {
		return ""
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(in, text); err != nil {
		return ""
	}
	return string(text)
}
