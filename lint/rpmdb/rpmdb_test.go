package rpmdb_test

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/imgmgr/imgmgr/lint/rpmdb"
)

// installed are packages enough for several levels of a table's tree, and one with
// more files than a page holds.
func installed() []rpmdb.Package {
	out := []rpmdb.Package{{Name: "bash", Version: "1:5.2-3.el9", Bytes: 7000, Files: []string{"/usr/bin/bash", "/usr/bin/sh", "/etc/skel/.bashrc"}}}
	for i := range 600 {
		out = append(out, rpmdb.Package{Name: fmt.Sprintf("lib%d", i), Version: fmt.Sprintf("%d-1", i), Bytes: int64(i)})
	}
	for i := range 2000 {
		out[1].Files = append(out[1].Files, fmt.Sprintf("/usr/share/lib0/%d", i))
	}
	return out
}

// pack makes a header: the index, then the data.
func pack(p rpmdb.Package) []byte {
	var index, data []byte
	add := func(tag, kind uint32, count int, value []byte) {
		for _, n := range []uint32{tag, kind, uint32(len(data)), uint32(count)} {
			index = binary.BigEndian.AppendUint32(index, n)
		}
		data = append(data, value...)
	}
	text := func(tag uint32, values ...string) {
		add(tag, 8, len(values), []byte(strings.Join(values, "\x00")+"\x00"))
	}
	version := p.Version
	if epoch, rest, ok := strings.Cut(version, ":"); ok {
		add(1003, 4, 1, []byte{0, 0, 0, epoch[0] - '0'})
		version = rest
	}
	version, release, _ := strings.Cut(version, "-")
	text(1000, p.Name)
	text(1001, version)
	text(1002, release)
	add(1009, 4, 1, binary.BigEndian.AppendUint32(nil, uint32(p.Bytes)))
	var folders, names []string
	var at []byte
	for _, f := range p.Files {
		folder, name := filepath.Split(f)
		if !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
		names = append(names, name)
		at = binary.BigEndian.AppendUint32(at, uint32(slices.Index(folders, folder)))
	}
	if len(names) > 0 {
		text(1117, names...)
		text(1118, folders...)
		add(1116, 4, len(names), at)
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(len(index)/16))
	head = binary.BigEndian.AppendUint32(head, uint32(len(data)))
	return slices.Concat(head, index, data)
}

// sqlite makes a database as RPM does, by SQLite itself.
func sqlite(t testing.TB, packages []rpmdb.Package, page int) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	run := func(query string, args ...any) {
		if _, err := db.Exec(query, args...); err != nil {
			t.Fatal(err)
		}
	}
	run(fmt.Sprintf("PRAGMA page_size = %d", page))
	run("CREATE TABLE Name (key TEXT, hnum INTEGER)")
	run("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
	run("BEGIN")
	for _, p := range append(packages, rpmdb.Package{Name: "gpg-pubkey", Version: "1-1"}) {
		run("INSERT INTO Packages (blob) VALUES (?)", pack(p))
	}
	run("COMMIT")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// ndb makes a database as SUSE's RPM does, with a free slot between each two.
func ndb(packages []rpmdb.Package) []byte {
	const page, slot = 4096, 16
	pages := (32+2*slot*len(packages))/page + 1
	db := make([]byte, pages*page)
	copy(db, "RpmP")
	binary.LittleEndian.PutUint32(db[12:], uint32(pages))
	for at := 32; at < len(db); at += slot {
		copy(db[at:], "Slot")
	}
	for i, p := range packages {
		blob := pack(p)
		at := 32 + 2*slot*i
		binary.LittleEndian.PutUint32(db[at+4:], uint32(i+1))
		binary.LittleEndian.PutUint32(db[at+8:], uint32(len(db)/16))
		head := make([]byte, 16)
		copy(head, "BlbS")
		binary.LittleEndian.PutUint32(head[12:], uint32(len(blob)))
		db = slices.Concat(db, head, blob)
		db = append(db, make([]byte, -len(db)&15)...)
	}
	return db
}

func TestRead(t *testing.T) {
	want := installed()
	for name, db := range map[string][]byte{"sqlite": sqlite(t, want, 4096), "small pages": sqlite(t, want, 512), "large pages": sqlite(t, want, 65536), "ndb": ndb(want)} {
		got, err := rpmdb.Read(db)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d packages, want %d; the first two are %.200v", name, len(got), len(want), got[:min(2, len(got))])
		}
	}
}

func TestReadRefusesWhatIsDamaged(t *testing.T) {
	some := installed()[:3]
	for name, db := range map[string][]byte{
		"nothing": nil, "another file": []byte("root:x:0:0"), "cut off": sqlite(t, some, 4096)[:4096],
		"cut off, ndb": ndb(some)[:5000], "no header": append([]byte("RpmP"), make([]byte, 10)...),
	} {
		if got, err := rpmdb.Read(db); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// No bytes make a reading fail other than with an error.
func FuzzRead(f *testing.F) {
	f.Add(sqlite(f, installed()[:3], 512))
	f.Add(ndb(installed()[2:4]))
	f.Fuzz(func(_ *testing.T, db []byte) { _, _ = rpmdb.Read(db) })
}
