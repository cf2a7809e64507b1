package analyze

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
)

// Bytes are those of the files that a package's own list names: through links,
// without what is gone, without packages inside.
func TestBytesOfPackages(t *testing.T) {
	img := made(t, dockerspec.DockerOCIImageConfig{},
		contents{
			"lib":                                 "-> usr/lib",
			"usr/lib/libz.so.1":                   "1234567",
			"usr/share/doc/zlib1g/copyright":      "not live",
			"var/lib/dpkg/status":                 "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nInstalled-Size: 9\nVersion: 1.3\n",
			"var/lib/dpkg/info/zlib1g:amd64.list": "/.\n/lib\n/lib/libz.so.1\n/usr/share/doc/zlib1g/copyright\n",
			"var/lib/dpkg/status.d/base":          "Package: base-files\nVersion: 12\n",
			"var/lib/dpkg/status.d/base.md5sums":  "d41d8cd98f00b204e9800998ecf8427e  etc/debian_version\n",
			"etc/debian_version":                  "12.1\n",
			"usr/lib/apk/db/installed":            "P:musl\nV:1.2\nI:600\nF:usr/lib\nR:libz.so.1\n",
		},
		contents{
			"usr/share/doc/zlib1g/.wh.copyright":                    "",
			"opt/six-1.16.dist-info/METADATA":                       "Name: six\nVersion: 1.16\n",
			"opt/six-1.16.dist-info/RECORD":                         "six.py,sha256=x,3\n../bin/six,,\n\"six-1.16.dist-info/METADATA\",,\n",
			"opt/six.py":                                            "six",
			"bin/six":                                               "12345",
			"app/node_modules/a/package.json":                       `{"name":"a","version":"1"}`,
			"app/node_modules/a/lib/a.js":                           "0123456789",
			"app/node_modules/a/node_modules/@b/c/package.json":     `{"name":"@b/c","version":"2"}`,
			"app/node_modules/a/node_modules/@b/c/deep/er/index.js": "01234",
		},
	)
	want := []report.Package{
		{Type: "apk", Name: "musl", Version: "1.2", Bytes: 7},
		{Type: "deb", Name: "base-files", Version: "12", Bytes: 5},
		{Type: "deb", Name: "zlib1g", Version: "1.3", Bytes: 7},
		{Type: "npm", Name: "@b/c", Version: "2", Layer: 1, Bytes: 29 + 5},
		{Type: "npm", Name: "a", Version: "1", Layer: 1, Bytes: 26 + 10},
		{Type: "pypi", Name: "six", Version: "1.16", Layer: 1, Bytes: 3 + 5 + 24},
	}
	if got := Analyze(img, Facts{}).Packages; !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// program is what the linker makes of build information, after so many bytes of
// something else.
func program(before int) string {
	modules := strings.Repeat("<", 16) + "path\texample.com/app\nmod\texample.com/app\tv1.2.3\t\n" +
		"dep\texample.com/a\tv0.1.0\th1:x=\ndep\texample.com/b\tv1.0.0\th1:x=\n=>\texample.com/fork\tv1.0.1\th1:x=\n" + strings.Repeat(">", 16)
	out := []byte("\x7fELF" + strings.Repeat("\xff Go buildinf", before/13))
	out = append(out, make([]byte, -len(out)&15)...)
	out = append(out, "\xff Go "+"buildinf:\x08\x02"+strings.Repeat("a scanner's own ", 2)...)
	out = append(out, "\xff Go "+"buildinf:\x08\x02"+strings.Repeat("\x00", 16)...)
	for _, text := range []string{"go1.18.1", modules} {
		out = append(binary.AppendUvarint(out, uint64(len(text))), text...)
	}
	return string(out)
}

func TestGoModules(t *testing.T) {
	large := program(300 << 10)
	self, err := os.Executable() // a program of Go's own linker
	if err != nil {
		t.Fatal(err)
	}
	linked, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	img := made(t, dockerspec.DockerOCIImageConfig{},
		contents{"bin/app": large, "bin/no": "\x7fELF" + strings.Repeat("\xff Go build.nf:", 1<<16), "bin/cut": large[:len(large)-200]},
		contents{"bin/test": string(linked)})
	want := []report.Package{
		{Type: "golang", Name: "example.com/a", Version: "v0.1.0"},
		{Type: "golang", Name: "example.com/app", Version: "v1.2.3", Bytes: int64(len(large))},
		{Type: "golang", Name: "example.com/fork", Version: "v1.0.1"},
		{Type: "golang", Name: "github.com/imgmgr/imgmgr", Layer: 1, Bytes: int64(len(linked))},
		{Type: "golang", Name: "stdlib", Version: "1.18.1"},
	}
	got := slices.DeleteFunc(Analyze(img, Facts{}).Packages, func(p report.Package) bool { return p.Name == "stdlib" && p.Layer == 1 })
	if len(got) != len(want) {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
	got[3].Version = "" // depends on how the test is built
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// jar packs files, name and content by turns.
func jar(t *testing.T, files ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = f.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestJava(t *testing.T) {
	widget := jar(t, "META-INF/maven/org.example/widget/pom.properties", "#made\ngroupId=org.example\r\nartifactId=widget\r\nversion=4.5.6\r\n",
		"META-INF/maven/org.example/shaded/pom.properties", "groupId=org.example\nartifactId=shaded\nversion=1\n")
	named := jar(t, "A.class", "")
	fat := jar(t, "META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nImplementation-Version: 7\r\n", "BOOT-INF/lib/widget-4.5.6.jar", widget, "BOOT-INF/lib/plain-1.2.jar", named)
	img := made(t, dockerspec.DockerOCIImageConfig{}, contents{"app/app.jar": fat, "app/damaged.jar": fat[:40], "app/notes.txt": widget})
	inside := int64(len(widget) + len(named))
	want := []report.Package{
		{Type: "maven", Name: "app", Version: "7", Bytes: int64(len(fat)) - inside},
		{Type: "maven", Name: "org.example/shaded", Version: "1"},
		{Type: "maven", Name: "org.example/widget", Version: "4.5.6", Bytes: int64(len(widget))},
		{Type: "maven", Name: "plain", Version: "1.2", Bytes: int64(len(named))},
	}
	if got := Analyze(img, Facts{}).Packages; !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
