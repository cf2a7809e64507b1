package packages

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// fuzz makes a manager read files of any content, and lists what it found. No content
// is an error: what makes no sense is left out.
func (m *manager) fuzz(f *testing.F, mode uint16, least int, paths ...string) {
	f.Fuzz(func(t *testing.T, which uint8, content []byte) {
		content = append(content, make([]byte, max(0, least-len(content)))...)
		file := image.File{Path: paths[int(which)%len(paths)], Size: int64(len(content)), Mode: mode}
		if !m.wants(&file) {
			t.Fatalf("%s isn't wanted", file.Path)
		}
		data, err := m.visitor().Read(&file, bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		if data == nil {
			return
		}
		if len(data) > 1<<20+100*len(content) {
			t.Errorf("%d bytes became %d", len(content), len(data))
		}
		var records []record
		if err := json.Unmarshal(data, &records); err != nil {
			t.Fatal(err)
		}
		layers := []*image.Layer{{Table: image.Table{Files: []image.File{file}, Notes: map[string][]image.Note{m.visitor().Name: {{Data: data}}}}}}
		for _, p := range List(layers, image.Stack(layers), 0) {
			if p.Type != m.kind || p.Name == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}

func FuzzDpkg(f *testing.F) {
	f.Add(uint8(0), []byte("Package: a\nStatus: install ok installed\nInstalled-Size: 2\nVersion: 1.0\nDescription: x\n Version: 9\n\nPackage: b\n"))
	f.Add(uint8(1), []byte("Package: a\nVersion: 1.0\n"))
	f.Add(uint8(2), []byte("d41d8cd98f00b204e9800998ecf8427e  usr/bin/a\n"))
	f.Add(uint8(3), []byte("/.\n/usr\n/usr/bin/a\n"))
	dpkg.fuzz(f, 0o644, 0, "var/lib/dpkg/status", dpkgRecords+"a", dpkgRecords+"a.md5sums", dpkgLists+"a:amd64.list")
}

func FuzzApk(f *testing.F) {
	f.Add(uint8(0), []byte("C:Q1\nP:musl\nV:1.2\nI:600\nF:lib\nR:ld-musl.so.1\nF:../..\nR:/x\n\nP:busybox\nV:1.36\nI:-9\n"))
	apk.fuzz(f, 0o644, 0, "lib/apk/db/installed", "usr/lib/apk/db/installed")
}

func FuzzNpm(f *testing.F) {
	f.Add(uint8(0), []byte(`{"name":"left","version":"3.0.0"}`))
	f.Add(uint8(1), []byte(`{"name":{"a":[]},"version":1e999}`))
	npm.fuzz(f, 0o644, 0, "app/node_modules/left/package.json", "node_modules/@me/right/package.json")
}

func FuzzPython(f *testing.F) {
	f.Add(uint8(0), []byte("Metadata-Version: 2.1\r\nName: six\r\nVersion: 1.16\r\n\r\nVersion: 2\r\n"))
	f.Add(uint8(1), []byte("six.py,sha256=x,34\n../../bin/six,,\n\"a\n,\"\n"))
	python.fuzz(f, 0o644, 0, "lib/six-1.16.dist-info/METADATA", "lib/six-1.16.dist-info/RECORD")
}

func FuzzGolang(f *testing.F) {
	info := "\x01" + strings.Repeat("x", infoAlign) + "path\tcmd\nmod\texample.com/a\tv1.0.0\t\ndep\texample.com/b\tv1.2.0\th1:x=\n=>\texample.com/c\tv1\t\n" + strings.Repeat("y", infoAlign)
	for _, modules := range []string{info[1:], "", "short"} {
		program := append([]byte(elfMagic), make([]byte, 60)...)
		program = append(program, infoMagic...)
		program = append(program, 8, infoInline)
		program = append(program, make([]byte, infoHeader-len(infoMagic)-2)...)
		program = append(program, "\x06go1.26"...)
		program = append(binary.AppendUvarint(program, uint64(len(modules))), modules...)
		f.Add(uint8(0), program)
	}
	f.Add(uint8(0), append([]byte(elfMagic), bytes.Repeat(infoMagic, 20)...))
	golang.fuzz(f, 0o755, leastProgram+1, "bin/app")
}

// zipped is an archive of files: names, and contents.
func zipped(t testing.TB, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	var failed error
	for i := 0; i < len(files); i += 2 {
		entry, err := w.Create(files[i])
		if err == nil {
			_, err = entry.Write([]byte(files[i+1]))
		}
		failed = errors.Join(failed, err)
	}
	if err := errors.Join(failed, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const somePOM = "META-INF/maven/g/a/pom.properties"

func FuzzJava(f *testing.F) {
	inner := zipped(f, somePOM, "groupId=g\nartifactId=a\nversion=1\n")
	f.Add(uint8(0), inner)
	f.Add(uint8(1), zipped(f, "META-INF/MANIFEST.MF", "Implementation-Version: 2\r\n", "BOOT-INF/lib/a.jar", string(inner), "lib/b-3.jar", "no zip"))
	java.fuzz(f, 0o644, 0, "app/app-1.0.jar", "app/app.war")
}

// A list of files is no larger than its file may be, whatever its folder's name.
func TestListsOfFilesAreBounded(t *testing.T) {
	folder := strings.Repeat("a", 1<<20)
	for name, files := range map[string][]string{
		"apk": apkFiles("F:" + folder + "\n" + strings.Repeat("R:b\n", 1000)), "python": recorded(folder, strings.Repeat("b\n", 1000)),
	} {
		if len(files) == 0 || len(files) > recordBytes>>20 {
			t.Errorf("%s: %d paths of a MiB each", name, len(files))
		}
	}
}

// Archives inside archives share what may be inflated.
func TestArchivesInArchivesAreBounded(t *testing.T) {
	const large = 1 << 20
	bomb := zipped(t, "x.jar", string(make([]byte, large)))
	outer := zipped(t, "a.jar", string(bomb), "b.jar", string(bomb), "c.jar", string(bomb), somePOM, "groupId=g\nartifactId=a\nversion=1\n")
	left := int64(2*large + 10_000)
	jar("outer.jar", outer, jarDepth, &left)
	if left < 0 || left > 10_000 {
		t.Errorf("%d bytes are left: two of three large archives were to be inflated", left)
	}
	left = 100
	if got := jar("outer.jar", outer, jarDepth, &left); len(got) != 1 {
		t.Errorf("without large archives, the package itself is %v", got)
	}
}
