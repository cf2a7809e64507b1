package analyze

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
)

// linked is an ELF file of 64 bits: headers, the dynamic linker's name, and the
// sections that name libraries.
func linked(t *testing.T, machine elf.Machine, linker string, libraries ...string) string {
	t.Helper()
	const headers = 64 + 56 // of the file, and of the one segment
	names := "\x00.dynamic\x00.dynstr\x00"
	strings, dynamic := "\x00", []elf.Dyn64{}
	for _, l := range libraries {
		dynamic = append(dynamic, elf.Dyn64{Tag: int64(elf.DT_NEEDED), Val: uint64(len(strings))})
		strings += l + "\x00"
	}
	at := func(of ...int) (sum uint64) {
		for _, n := range of {
			sum += uint64(n)
		}
		return sum
	}
	dynamicSize := 16 * len(dynamic)
	sections := []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_DYNAMIC), Off: at(headers, len(linker)), Size: uint64(dynamicSize), Link: 2, Entsize: 16},
		{Name: 10, Type: uint32(elf.SHT_STRTAB), Off: at(headers, len(linker), dynamicSize), Size: uint64(len(strings))},
		{Type: uint32(elf.SHT_STRTAB), Off: at(headers, len(linker), dynamicSize, len(strings)), Size: uint64(len(names))},
	}
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_DYN), Machine: uint16(machine), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
		Shoff: at(headers, len(linker), dynamicSize, len(strings), len(names)), Shentsize: 64, Shnum: uint16(len(sections)), Shstrndx: 3,
	}
	segment := elf.Prog64{Type: uint32(elf.PT_NULL), Off: headers, Filesz: uint64(len(linker))}
	if linker != "" {
		segment.Type = uint32(elf.PT_INTERP)
	}
	var out bytes.Buffer
	for _, part := range []any{header, segment, []byte(linker), dynamic, []byte(strings), []byte(names), sections} {
		if err := binary.Write(&out, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// starts is a configuration that starts a program.
func starts(command ...string) dockerspec.DockerOCIImageConfig {
	return dockerspec.DockerOCIImageConfig{ImageConfig: ocispec.ImageConfig{Entrypoint: command}}
}

// found is the first finding of a kind.
func found(r *report.Report, kind string) (report.Finding, bool) {
	for _, f := range r.Findings {
		if f.Kind == kind {
			return f, true
		}
	}
	return report.Finding{}, false
}

// What the container is to start is there, and still doesn't run.
func TestProgramsThatDoNotRun(t *testing.T) {
	const glibc, musl = "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"
	debian := func(app string) contents {
		return contents{
			"app": app, "lib64": "-> usr/lib64", "usr/lib64/ld-linux-x86-64.so.2": linked(t, elf.EM_X86_64, ""), "bin/sh": linked(t, elf.EM_X86_64, glibc, "libc.so.6"),
			"usr/bin/env": "", "usr/lib/libc.so.6": linked(t, elf.EM_X86_64, ""), "usr/lib/libz.so.1": "-> libz.so.1.3", "usr/lib/libz.so.1.3": linked(t, elf.EM_X86_64, "", "libc.so.6"),
			"usr/lib/libbroken.so": linked(t, elf.EM_X86_64, "", "libgone.so.2"),
		}
	}
	for _, c := range []struct{ name, app, want string }{
		{"for this machine", linked(t, elf.EM_X86_64, glibc, "libc.so.6", "libz.so.1"), ""},
		{"for 32 bits of it", linked(t, elf.EM_386, ""), ""},
		{"static", linked(t, elf.EM_X86_64, ""), ""},
		{"for another machine", linked(t, elf.EM_AARCH64, ""), "/app is for arm64, and the image for amd64"},
		{"of another C library", linked(t, elf.EM_X86_64, musl), "it was built for musl"},
		{"without its library", linked(t, elf.EM_X86_64, glibc, "libc.so.6", "libpq.so.5"), "/app needs libpq.so.5,"},
		{"without its library's library", linked(t, elf.EM_X86_64, glibc, "libbroken.so"), "/app needs libgone.so.2,"},
		{"script", "#!/bin/sh\necho", ""},
		{"script with an option", "#! /bin/sh -e\necho", ""},
		{"script by PATH", "#!/usr/bin/env sh\n", ""},
		{"script by PATH, with options", "#!/usr/bin/env -S sh -e\n", ""},
		{"script of DOS", "#!/bin/sh\r\necho\r\n", "carriage returns"},
		{"script without its interpreter", "#!/bin/bash\n", "script for /bin/bash, which isn't in the image"},
		{"script without its interpreter in PATH", "#!/usr/bin/env python3\n", "script for python3, which isn't in PATH"},
		{"damaged", "\x7fELF", ""},
		{"damaged, longer", linked(t, elf.EM_X86_64, glibc)[:70], ""},
		{"empty", "", ""},
	} {
		f, got := found(Analyze(made(t, starts("/app"), debian(c.app)), Facts{}), "entrypoint")
		if got != (c.want != "") || !strings.Contains(f.Message, c.want) {
			t.Errorf("%s: %q, want %q", c.name, f.Message, c.want)
		}
	}
}

// A Go program, this one, has TLS linked into it, and runs on its own machine only.
func TestProgramOfGo(t *testing.T) {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	img := made(t, starts("/app"), contents{"app": string(program)})
	img.Platform.Architecture = "s390x"
	if f, _ := found(Analyze(img, Facts{}), "entrypoint"); !strings.Contains(f.Message, "and the image for s390x") {
		t.Errorf("%q", f.Message)
	}
	if _, ok := found(Analyze(img, Facts{}), "ca-certificates"); !ok {
		t.Error("no certificates, and nothing is said")
	}
	img = made(t, starts("/app"), contents{"app": string(program), "etc/ssl/cert.pem": "x"})
	if f, ok := found(Analyze(img, Facts{}), "ca-certificates"); ok {
		t.Error(f.Message)
	}
}

func TestTimeZone(t *testing.T) {
	for zone, want := range map[string]bool{"Europe/Berlin": true, ":Europe/Berlin": true, "Asia/Tokyo": false, "UTC": false, "CET-1CEST": false, "": false} {
		config := starts("/app")
		config.Env = []string{"TZ=" + zone}
		if f, got := found(Analyze(made(t, config, contents{"app": "", "usr/share/zoneinfo/Asia/Tokyo": "x"}), Facts{}), "time-zone"); got != want {
			t.Errorf("%q: %v %s", zone, got, f.Message)
		}
	}
}

// A static program carries a distribution along, unless it is the distribution's own.
func TestStaticProgram(t *testing.T) {
	const record = "Package: libc6\nStatus: install ok installed\nInstalled-Size: 2000\nVersion: 1\n\n"
	for _, c := range []struct {
		name, path, program string
		want                bool
	}{
		{"static", "app", linked(t, elf.EM_X86_64, ""), true},
		{"of the distribution", "bin/busybox", linked(t, elf.EM_X86_64, ""), false},
		{"dynamic", "app", linked(t, elf.EM_X86_64, "/ld.so"), false},
		{"script", "app", "#!/bin/sh\n", false},
	} {
		r := Analyze(made(t, starts("/"+c.path), contents{c.path: c.program, "var/lib/dpkg/status": record}), Facts{})
		if f, got := found(r, "static-program"); got != c.want || c.want && f.Bytes != 2000*1024 {
			t.Errorf("%s: %v %+v", c.name, got, f)
		}
	}
}

// npm's own list says what is for development; a package inside that isn't stays out
// of it.
func TestDevelopmentPackages(t *testing.T) {
	lock := `{"packages":{"node_modules/jest":{"dev":true},"node_modules/@types/node":{"dev":true},"node_modules/express":{}}}`
	files := contents{
		"app/node_modules/.package-lock.json": lock,
		"app/node_modules/jest/a.js":          strings.Repeat("a", 90_000), "app/node_modules/@types/node/b.d.ts": strings.Repeat("b", 60_000),
		"app/node_modules/express/c.js": strings.Repeat("c", 400_000), "other/node_modules/jest/d.js": strings.Repeat("d", 400_000),
	}
	f, ok := found(Analyze(made(t, starts("/a"), files), Facts{}), "dev-dependencies")
	if !ok || f.Bytes != 150_000 || f.Files != 2 {
		t.Errorf("%v %+v", ok, f)
	}
	if f, ok := found(Analyze(made(t, starts("/a"), files, contents{"app/.wh.node_modules": ""}), Facts{}), "dev-dependencies"); ok {
		t.Errorf("deleted, and still found: %+v", f)
	}
	files["app/node_modules/.package-lock.json"] = "no JSON"
	if f, ok := found(Analyze(made(t, starts("/a"), files), Facts{}), "dev-dependencies"); ok {
		t.Errorf("without a list, found %+v", f)
	}
}

// An SBOM is held against the image that it is attached to.
func TestHonestyOfSBOM(t *testing.T) {
	const (
		status = "Package: curl\nStatus: install ok installed\nVersion: 1:8.0+b1\n\n"
		digest = "0000000000000000000000000000000000000000000000000000000000000001"
		curl   = `{"externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:deb/debian/curl@1%3A8.0%2Bb1?arch=amd64"}]}`
		six    = `{"externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:pypi/Zope.Event@1.0"}]}`
		gone   = `{"externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:deb/debian/gone@1"}]}`
		modul  = `{"externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:golang/example.com/a@v1"}]}`
	)
	sbom := func(subject string, packages ...string) []byte {
		return []byte(`{"subject":[{"digest":{"sha256":"` + subject + `"}}],"predicate":{"packages":[` + strings.Join(packages, ",") + `]}}`)
	}
	for _, c := range []struct {
		name, want string
		sbom       [][]byte
	}{
		{"honest", "", [][]byte{sbom(digest, curl, six, modul)}},
		{"none", "", nil},
		{"of another", "sbom-of-another", [][]byte{sbom("2", curl, six)}},
		{"incomplete", "sbom-incomplete", [][]byte{sbom(digest, curl)}},
		{"outdated", "sbom-outdated", [][]byte{sbom(digest, curl, six, gone)}},
		{"with one of a stage", "", [][]byte{sbom(digest, curl, six), sbom(digest, gone)}},
	} {
		img := made(t, starts("/a"), contents{"var/lib/dpkg/status": status, "usr/lib/python3/dist-packages/zope_event-1.0.dist-info/METADATA": "Name: zope-event\nVersion: 1.0\n\n"})
		img.Digest = "sha256:" + digest
		var got []string
		for _, f := range Analyze(img, Facts{SBOM: c.sbom}).Findings {
			if strings.HasPrefix(f.Kind, "sbom") {
				got = append(got, f.Kind)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Files of numbers that no user has; entries of made are root's.
func TestUnowned(t *testing.T) {
	for passwd, want := range map[string]bool{"me:x:1000:1000::/:/bin/sh\n": true, "root:x:0:0::/root:/bin/sh\n": false, "": false} {
		if f, got := found(Analyze(made(t, starts("/a"), contents{"etc/passwd": passwd, "a": ""}), Facts{}), "unowned"); got != want {
			t.Errorf("%q: %v %s", passwd, got, f.Message)
		}
	}
}

// A core dump is an ELF file that says so, whatever else is called core.
func TestCoreDump(t *testing.T) {
	padded := func(text string) string { return text + strings.Repeat("\x00", 200_000) }
	program := linked(t, elf.EM_X86_64, "")
	dump := []byte(program)
	dump[elf.EI_NIDENT] = byte(elf.ET_CORE)
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"app/core":        {padded(string(dump)), true},
		"app/core.42":     {padded(string(dump)), true},
		"usr/lib/core":    {padded(program), false},
		"srv/core":        {padded("words"), false},
		"srv/core.7":      {padded("words"), false},
		"srv/score":       {padded(string(dump)), false},
		"app/core/readme": {padded(string(dump)), false},
	} {
		if f, got := found(Analyze(made(t, starts("/app"), contents{name: c.text}), Facts{}), "core-dump"); got != c.want {
			t.Errorf("%s: a core dump: %t, want %t: %s", name, got, c.want, f.Message)
		}
	}
}
