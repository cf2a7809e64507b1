package findings

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// program is what a file needs to run.
type program struct {
	// Script is the interpreter's line of a script, without "#!".
	Script string `json:",omitempty"`
	// Machine is the architecture that an ELF file is for.
	Machine elf.Machine `json:",omitempty"`
	// Interpreter is the dynamic linker, "/lib/ld-musl-x86_64.so.1"; "" for
	// libraries, and for static programs.
	Interpreter string `json:",omitempty"`
	// Needed are libraries, by their base names; nothing if the file is larger
	// than programBytes.
	Needed []string `json:",omitempty"`
	// Certificates says that it knows where systems keep certificates of
	// authorities: the verification of TLS is linked into it.
	Certificates bool `json:",omitempty"`
}

// programBytes is the largest program whose libraries are looked up.
const programBytes = 8 << 20

var programVisitor = image.Visitor{
	Name:  "programs/1",
	Wants: func(f *image.File) bool { return f.Mode&0o111 != 0 || strings.Contains(path.Base(f.Path), ".so") },
	Read: func(f *image.File, content io.Reader) ([]byte, error) {
		// Most files are neither, and a buffer for each would cost more than reading them.
		start := make([]byte, len(elf.ELFMAG))
		n, err := io.ReadFull(content, start)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, err
		}
		script := bytes.HasPrefix(start, []byte("#!"))
		if !script && string(start) != elf.ELFMAG {
			return nil, nil
		}
		in := io.MultiReader(bytes.NewReader(start[:n]), content)
		if script {
			line, err := bufio.NewReader(in).ReadSlice('\n')
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
				return nil, err
			}
			return json.Marshal(program{Script: strings.TrimPrefix(strings.TrimSuffix(string(line), "\n"), "#!")})
		}
		p, err := linked(in)
		if err != nil || p.Machine == elf.EM_NONE {
			return nil, err
		}
		return json.Marshal(p)
	},
}

// linked reads an ELF file.
func linked(in io.Reader) (program, error) {
	head, err := io.ReadAll(io.LimitReader(in, programBytes))
	if err != nil {
		return program{}, err
	}
	p := program{Certificates: bytes.Contains(head, certificates)}
	p.Machine, p.Interpreter = headers(head)
	if len(head) < programBytes {
		if file, err := elf.NewFile(bytes.NewReader(head)); err == nil {
			// Without a dynamic section, or with a damaged one, it needs nothing
			// that could be looked up.
			p.Needed, _ = file.ImportedLibraries()
		}
		return p, nil
	}
	for window := head; !p.Certificates; {
		kept := copy(window, window[len(window)-len(certificates):]) // it may lie across two windows
		n, err := io.ReadFull(in, window[kept:])
		p.Certificates = bytes.Contains(window[:kept+n], certificates)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return program{}, err
		}
	}
	return p, nil
}

// certificates is in the paths where TLS libraries look for authorities. It is put
// together here, so that this program isn't one of them.
var certificates = append([]byte("/etc/ssl/"), "certs"...)

// headers are the machine and the dynamic linker, by the program headers, which
// linkers put at a file's start.
func headers(head []byte) (elf.Machine, string) {
	order := map[byte]binary.ByteOrder{byte(elf.ELFDATA2LSB): binary.LittleEndian, byte(elf.ELFDATA2MSB): binary.BigEndian}
	const ident = elf.EI_NIDENT
	if len(head) < 64 || order[head[elf.EI_DATA]] == nil {
		return elf.EM_NONE, ""
	}
	number := order[head[elf.EI_DATA]]
	machine := elf.Machine(number.Uint16(head[ident+2:]))
	if elf.Class(head[elf.EI_CLASS]) != elf.ELFCLASS64 {
		return machine, ""
	}
	var h elf.Header64
	if _, err := binary.Decode(head, number, &h); err != nil {
		return elf.EM_NONE, ""
	}
	for i := range uint64(h.Phnum) {
		var p elf.Prog64
		at := h.Phoff + i*uint64(h.Phentsize)
		if at > uint64(len(head)) {
			break
		}
		if _, err := binary.Decode(head[at:], number, &p); err != nil {
			break
		}
		if elf.ProgType(p.Type) == elf.PT_INTERP && p.Off < uint64(len(head)) && p.Filesz <= uint64(len(head))-p.Off {
			return machine, string(bytes.TrimRight(head[p.Off:p.Off+p.Filesz], "\x00"))
		}
	}
	return machine, ""
}

// programs are what the visitor wrote down about the image's live files.
func programs(e *Evidence) map[*image.File]program {
	out := map[*image.File]program{}
	for i, l := range e.Image.Layers {
		for _, note := range l.Notes[programVisitor.Name] {
			var p program
			if e.Stacked.Fates[i][note.File].State == image.Live && json.Unmarshal(note.Data, &p) == nil {
				out[&l.Files[note.File]] = p
			}
		}
	}
	return out
}
