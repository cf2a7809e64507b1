package ecosystem_test

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

// rpmHeader is a package as RPM has it: name, version and release.
func rpmHeader(values ...string) []byte {
	var index, data []byte
	for i, value := range values {
		for _, n := range []int{1000 + i, 6, len(data), 1} {
			index = binary.BigEndian.AppendUint32(index, uint32(n))
		}
		data = append(data, value+"\x00"...)
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(len(values)))
	head = binary.BigEndian.AppendUint32(head, uint32(len(data)))
	return slices.Concat(head, index, data)
}

// rpmDatabase is made by SQLite itself.
func rpmDatabase(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	db, err := sql.Open("sqlite", file)
	if err == nil {
		_, err = db.Exec("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
	}
	if err == nil {
		_, err = db.Exec("INSERT INTO Packages VALUES (1, ?)", rpmHeader("bash", "5.2", "3.fc42"))
	}
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestInstalled(t *testing.T) {
	for tool, of := range map[string]struct {
		files map[string]string
		want  map[string]string
	}{
		"apt": {map[string]string{"var/lib/dpkg/status": "Package: bash\nStatus: install ok installed\nVersion: 5.2-1\nDescription: x\n Package: y\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n"}, map[string]string{"bash": "5.2-1"}},
		"apk": {map[string]string{"usr/lib/apk/db/installed": "C:Q1\nP:musl\nV:1.2.5-r9\n\nP:zlib\nV:1.3.1-r2\n"}, map[string]string{"musl": "1.2.5-r9", "zlib": "1.3.1-r2"}},
		"dnf": {map[string]string{"var/lib/rpm/rpmdb.sqlite": rpmDatabase(t)}, map[string]string{"bash": "5.2-3.fc42"}},
	} {
		i := slices.IndexFunc(ecosystem.All(), func(t *ecosystem.Tool) bool { return t.Name == tool })
		installed := ecosystem.All()[i].Installed
		got, err := installed(func(name string) ([]byte, error) {
			text, ok := of.files[name]
			if !ok {
				return nil, fs.ErrNotExist
			}
			return []byte(text), nil
		})
		if err != nil || !maps.Equal(got, of.want) {
			t.Errorf("%s: %v, %v; want %v", tool, got, err, of.want)
		}
		if _, err := installed(func(string) ([]byte, error) { return nil, fs.ErrNotExist }); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: an image without a list: %v", tool, err)
		}
		if _, err := installed(func(string) ([]byte, error) { return nil, fs.ErrPermission }); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: a list that isn't known: %v", tool, err)
		}
	}
}
