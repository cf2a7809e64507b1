package scanner

import (
	"archive/zip"
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

const (
	leftPad     = `{"name": "left-pad", "version": "1.3.0", "license": "WTFPL"}`
	requests    = "Metadata-Version: 2.1\nName: requests\nVersion: 2.32.3\nLicense: Apache-2.0\n\n"
	packageLock = `{"name": "app", "version": "1.0.0", "lockfileVersion": 3, "packages": {
		"": {"name": "app", "version": "1.0.0", "dependencies": {"only-in-lock": "9.9.9"}},
		"node_modules/only-in-lock": {"version": "9.9.9"}}}`
	dpkgStatus = `Package: libc6
Status: install ok installed
Priority: optional
Section: libs
Installed-Size: 12988
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Source: glibc
Version: 2.41-3
Description: GNU C Library: Shared libraries
`
	osRelease = "PRETTY_NAME=\"Debian 42\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"42\"\nID=debian\n"
)

// writeRoot makes a root that has something of every kind: a distribution's
// packages, two languages' packages, a Java archive and a Go binary.
func writeRoot(t *testing.T, root string) {
	t.Helper()
	writeFile(t, root, "usr/lib/os-release", osRelease)
	symlink(t, "/usr/lib/os-release", root, "etc/os-release")
	writeFile(t, root, "var/lib/dpkg/status", dpkgStatus)
	writeFile(t, root, "app/node_modules/left-pad/package.json", leftPad)
	writeFile(t, root, "app/package-lock.json", packageLock)
	writeFile(t, root, "usr/lib/python3/dist-packages/requests-2.32.3.dist-info/METADATA", requests)
	writeFile(t, root, "opt/widget.jar", jar(t))
	writeRPMs(t, filepath.Join(root, "usr/lib/sysimage/rpm/rpmdb.sqlite"))

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(root, "usr/local/bin/tool")
	if err := os.MkdirAll(filepath.Dir(bin), 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Link(self, bin) == nil { // as good as a copy, if it is the same file system
		return
	}
	writeFile(t, root, "usr/local/bin/tool", string(read(t, self)))
	if err := os.Chmod(bin, 0o755); err != nil {
		t.Fatal(err)
	}
}

func writeFile(t testing.TB, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func jar(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range [][2]string{
		{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nImplementation-Title: widget\nImplementation-Version: 4.5.6\n"},
		{"META-INF/maven/org.example/widget/pom.properties", "groupId=org.example\nartifactId=widget\nversion=4.5.6\n"},
	} {
		w, err := z.Create(f[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// writeRPMs makes a database of one package as RPM 4.16 and later do: SQLite,
// a package's header a blob.
func writeRPMs(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range []string{
		"CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)",
		"INSERT INTO Packages (blob) VALUES (x'" + hex.EncodeToString(rpmHeader()) + "')",
	} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
}

// rpmHeader is a package's header: the number of entries, the bytes of data,
// the entries (tag, type, offset, count) and the data, all big-endian.
func rpmHeader() []byte {
	const typeString = 6
	var index, data bytes.Buffer
	entries := []struct {
		tag   uint32
		value string
	}{
		{1000, "bash"}, {1001, "5.2.37"}, {1002, "1.fc42"}, {1011, "Fedora Project"},
		{1014, "GPL-3.0-or-later"}, {1022, "x86_64"}, {1044, "bash-5.2.37-1.fc42.src.rpm"},
	}
	for _, e := range entries {
		for _, v := range []uint32{e.tag, typeString, uint32(data.Len()), 1} {
			index.Write(binary.BigEndian.AppendUint32(nil, v))
		}
		data.WriteString(e.value + "\x00")
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(len(entries)))
	head = binary.BigEndian.AppendUint32(head, uint32(data.Len()))
	return append(append(head, index.Bytes()...), data.Bytes()...)
}

func sha1Hex(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
