package findings

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// coreKind is the kind of leftovers that are core dumps.
const coreKind = "core-dump"

// coreName reports whether Linux calls core dumps so, unless it is told otherwise
// (core(5)). Folders, packages and programs are called core as well.
func coreName(name string) bool { return path.Base(name) == "core" || numberedCore(name) }

// numberedCore reports whether a name is one that only a core dump is likely to have.
func numberedCore(name string) bool {
	number, ok := strings.CutPrefix(path.Base(name), "core.")
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}

var coreVisitor = image.Visitor{
	Name:  "cores/1",
	Wants: func(f *image.File) bool { return coreName(f.Path) },
	Read: func(_ *image.File, content io.Reader) ([]byte, error) {
		var head [elf.EI_NIDENT + 2]byte // up to e_type
		if _, err := io.ReadFull(content, head[:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		var order binary.ByteOrder = binary.LittleEndian
		if elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB {
			order = binary.BigEndian
		}
		if string(head[:len(elf.ELFMAG)]) != elf.ELFMAG || elf.Type(order.Uint16(head[elf.EI_NIDENT:])) != elf.ET_CORE {
			return nil, nil
		}
		return []byte{1}, nil
	},
}

// cores are a layer's core dumps: ELF files that say so. Where contents weren't
// read, only a name with a number is taken for one.
func cores(l *image.Layer) map[*image.File]bool {
	out := map[*image.File]bool{}
	for _, note := range l.Notes[coreVisitor.Name] {
		out[&l.Files[note.File]] = true
	}
	if l.Hashed {
		return out
	}
	for i := range l.Files {
		f := &l.Files[i]
		if numberedCore(f.Path) {
			out[f] = true
		}
	}
	return out
}
