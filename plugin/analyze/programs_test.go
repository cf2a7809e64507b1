package analyze

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// starts is the configuration of an image that starts a program.
func starts(command ...string) dockerspec.DockerOCIImageConfig {
	return dockerspec.DockerOCIImageConfig{ImageConfig: ocispec.ImageConfig{Cmd: command, User: "1000"}}
}

// self is the test's own program. This machine's, or one for another.
func self(t *testing.T, machine elf.Machine) string {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Clone(text)
	text[18], text[19] = byte(machine), byte(machine>>8) // Elf64_Ehdr.e_machine
	return string(text)
}

// linkedSh is this machine's shell, with its dynamic linker and its libraries'
// names.
func linkedSh(t *testing.T) (text, linker string, needed []string) {
	t.Helper()
	raw, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			name := make([]byte, p.Filesz-1)
			if _, err := p.ReadAt(name, 0); err != nil {
				t.Fatal(err)
			}
			linker = string(name)
		}
	}
	if needed, err = f.ImportedLibraries(); err != nil || linker == "" || len(needed) == 0 {
		t.Fatalf("/bin/sh isn't linked dynamically, and the test wants one that is: %v", err)
	}
	// The image is for amd64, whatever this machine is.
	raw[18], raw[19] = byte(elf.EM_X86_64), 0
	return string(raw), linker, needed
}

func TestProgramsThatDontRun(t *testing.T) {
	sh, linker, needed := linkedSh(t)
	all := contents{"bin/app": sh, linker[1:]: "x"}
	for _, library := range needed {
		all["opt/libs/"+library+".6"] = "x"
		all["lib/"+library] = "-> ../opt/libs/" + library + ".6"
	}
	for _, c := range []struct {
		name  string
		files contents
		want  string // "" for nothing
	}{
		{"another machine's", contents{"bin/app": self(t, elf.EM_AARCH64)}, "/bin/app is for arm64, and the image for amd64"},
		{"this machine's", contents{"bin/app": self(t, elf.EM_X86_64), linker[1:]: "x", "lib/libc.so.6": "x", "lib/libresolv.so.2": "x"}, ""},
		{"without its dynamic linker", contents{"bin/app": sh}, "/bin/app needs the dynamic linker " + linker + ", which isn't in the image"},
		{"without its libraries", contents{"bin/app": sh, linker[1:]: "x"}, "/bin/app needs " + strings.Join(needed, ", ")},
		{"with all", all, ""},
		{"a script", contents{"bin/app": "#!/bin/ash -e\ntrue\n", "bin/ash": "x"}, ""},
		{"a script without its shell", contents{"bin/app": "#!/bin/bash\ntrue\n"}, "/bin/app is a script for /bin/bash, which isn't in the image"},
		{"a script of Windows", contents{"bin/app": "#!/bin/ash\r\ntrue\r\n", "bin/ash": "x"}, "/bin/app ends its lines with carriage returns"},
		{"a script by env", contents{"bin/app": "#!/usr/bin/env python3\n", "usr/bin/env": "x", "usr/local/bin/python3": "x"}, ""},
		{"a script by env for nothing", contents{"bin/app": "#!/usr/bin/env python3\n", "usr/bin/env": "x"}, "/bin/app is a script for python3, which isn't in PATH"},
		{"neither", contents{"bin/app": "\x7fELF and no more"}, ""},
	} {
		var got []string
		for _, f := range Analyze(made(t, starts("app"), c.files), Facts{}).Findings {
			if f.Kind == "entrypoint" {
				got = append(got, f.Message)
			}
		}
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], c.want)) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// whatIs are the messages of findings of a kind.
func whatIs(t *testing.T, kind string, config dockerspec.DockerOCIImageConfig, f Facts, files ...contents) []string {
	t.Helper()
	var list []string
	for _, found := range Analyze(made(t, config, files...), f).Findings {
		if found.Kind == kind {
			list = append(list, found.Message)
		}
	}
	return list
}

func TestTimeZone(t *testing.T) {
	for zone, found := range map[string]bool{"Europe/Berlin": true, ":Europe/Berlin": true, "UTC": false, "CET-1CEST": false, "Asia/Tokyo": false} {
		config := starts("app")
		config.Env = []string{"TZ=" + zone}
		got := whatIs(t, "time-zone", config, Facts{}, contents{"usr/share/zoneinfo/Asia/Tokyo": "TZif2"})
		if (len(got) > 0) != found {
			t.Errorf("TZ=%s: %q", zone, got)
		}
	}
}

func TestAuthorities(t *testing.T) {
	app := contents{"bin/app": self(t, elf.EM_X86_64)}
	set := starts("app")
	set.Env = []string{"SSL_CERT_FILE=/certs.pem"}
	for _, c := range []struct {
		name   string
		config dockerspec.DockerOCIImageConfig
		files  []contents
		found  bool
	}{
		{"none", starts("app"), []contents{app}, true},
		{"Debian's", starts("app"), []contents{{"etc/ssl/certs/ca-certificates.crt": "x"}, app}, false},
		{"deleted again", starts("app"), []contents{{"etc/ssl/certs/ca-certificates.crt": "x"}, {"etc/ssl/.wh.certs": ""}, app}, true},
		{"elsewhere", set, []contents{app}, false},
		{"a program without TLS", starts("app"), []contents{{"bin/app": "#!/bin/app\n"}}, false},
	} {
		if got := whatIs(t, "ca-certificates", c.config, Facts{}, c.files...); (len(got) > 0) != c.found {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

func TestStaticProgram(t *testing.T) {
	static := self(t, elf.EM_X86_64)
	f, err := elf.NewFile(strings.NewReader(static))
	if err != nil {
		t.Fatal(err)
	}
	linked := slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
	system := contents{
		"var/lib/dpkg/status":          "Package: big\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n",
		"var/lib/dpkg/info/big.list":   "/usr/lib/big\n",
		"usr/lib/big":                  strings.Repeat("big", 100_000),
		"var/lib/dpkg/info/big.md5sum": "",
	}
	for name, c := range map[string]struct {
		files []contents
		found bool
	}{
		"beside a distribution": {[]contents{system, {"app": static}}, !linked},
		"alone":                 {[]contents{{"app": static}}, false},
		"the system's own":      {[]contents{system, {"bin/app": static}}, false},
		"a script":              {[]contents{system, {"app": "#!/usr/lib/big\n"}}, false},
	} {
		command := "/app"
		if name == "the system's own" {
			command = "/bin/app"
		}
		if got := whatIs(t, "static-program", starts(command), Facts{}, c.files...); (len(got) > 0) != c.found {
			t.Errorf("%s: %q, the program is linked: %v", name, got, linked)
		}
	}
}

func TestDevelopmentPackages(t *testing.T) {
	big := strings.Repeat("module", 30_000)
	files := contents{
		"app/node_modules/.package-lock.json": `{"packages":{"node_modules/jest":{"dev":true},"node_modules/@types/node":{"dev":true},"node_modules/express":{}}}`,
		"app/node_modules/jest/index.js":      big, "app/node_modules/@types/node/index.d.ts": big + "2", "app/node_modules/express/index.js": big + "3",
		"app/node_modules/jest/node_modules/needed/index.js": big + "4",
	}
	got := whatIs(t, "dev-dependencies", starts("node"), Facts{}, files)
	if len(got) != 1 || !strings.Contains(got[0], "ships 360kB") || !strings.HasSuffix(got[0], "in /app/node_modules") {
		t.Errorf("found %q", got)
	}
	if got := whatIs(t, "dev-dependencies", starts("node"), Facts{}, files, contents{"app/.wh.node_modules": ""}); len(got) > 0 {
		t.Errorf("they are deleted, and there is %q", got)
	}
}

func TestUnownedFiles(t *testing.T) {
	passwd := contents{"etc/passwd": "root:x:0:0::/:/bin/sh\n", "a": "x", "b": "x"}
	for uid, found := range map[uint32]bool{0: false, 501: true} {
		img := made(t, starts("app"), passwd)
		for i := range img.Layers[0].Files {
			if f := &img.Layers[0].Files[i]; f.Path == "a" {
				f.UID = uid
			}
		}
		var got []string
		for _, f := range Analyze(img, Facts{}).Findings {
			if f.Kind == "unowned" {
				got = append(got, f.Message)
			}
		}
		if (len(got) > 0) != found || found && !strings.Contains(got[0], "1 file of users that /etc/passwd doesn't list, /a of number 501") {
			t.Errorf("of %d: %q", uid, got)
		}
	}
}

// The attached SBOM is held against what the layers have.
func TestSBOMHonesty(t *testing.T) {
	files := contents{"lib/apk/db/installed": "P:musl\nV:1.2.5-r0\n\nP:busybox\nV:1.36.1-r2\n\n"}
	document := func(subject string, purls ...string) []byte {
		var packages []string
		for _, p := range purls {
			packages = append(packages, fmt.Sprintf(`{"externalRefs":[{"referenceType":"purl","referenceLocator":%q}]}`, p))
		}
		return []byte(`{"subject":[{"digest":{"sha256":"` + subject + `"}}],"predicate":{"packages":[` + strings.Join(packages, ",") + `]}}`)
	}
	own, other := strings.Repeat("a", 64), strings.Repeat("b", 64)
	musl, busybox := "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64", "pkg:apk/alpine/busybox@1.36.1-r2"
	for _, c := range []struct {
		name string
		sbom [][]byte
		want string
	}{
		{"none", nil, ""},
		{"honest", [][]byte{document(own, musl, busybox, "pkg:npm/left-pad@1.0.0")}, ""},
		{"in two parts", [][]byte{document(own, musl), document(own, busybox)}, ""},
		{"a package is missing", [][]byte{document(own, musl)}, "sbom-incomplete: the attached SBOM lacks 1 package of the image, apk/busybox 1.36.1-r2 among them"},
		{"another version", [][]byte{document(own, musl, "pkg:apk/alpine/busybox@1.35")}, "sbom-incomplete sbom-outdated"},
		{"a package more", [][]byte{document(own, musl, busybox, "pkg:apk/alpine/curl@8")}, "sbom-outdated: the attached SBOM lists 1 package that the image hasn't, apk/curl 8 among them"},
		{"of another image", [][]byte{document(other, musl, busybox)}, "sbom-of-another: the attached SBOM is about another image, by its digest"},
		{"no document", [][]byte{[]byte("{")}, "sbom-incomplete sbom-of-another"},
	} {
		img := made(t, starts("app"), files)
		img.Digest = digest.Digest("sha256:" + own)
		var kinds, messages []string
		for _, f := range Analyze(img, Facts{SBOM: c.sbom}).Findings {
			if strings.HasPrefix(f.Kind, "sbom-") {
				kinds, messages = append(kinds, f.Kind), append(messages, f.Kind+": "+f.Message)
			}
		}
		slices.Sort(kinds)
		if got := strings.Join(kinds, " "); got != c.want && strings.Join(messages, "; ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, messages, c.want)
		}
	}
}
