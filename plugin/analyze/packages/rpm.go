package packages

import (
	"path"

	"github.com/imgmgr/imgmgr/lint/rpmdb"
)

// rpm keeps its records in a database. That of Berkeley DB, which RPM gave up in
// 2020, isn't read.
var rpm = &manager{
	kind: "rpm", version: "1",
	wants: byPath(func(name string) bool {
		dir, base := path.Split(name)
		return (dir == "var/lib/rpm/" || dir == "usr/lib/sysimage/rpm/") && (base == "rpmdb.sqlite" || base == "Packages.db")
	}),
	read: whole(func(_ string, content []byte) []record {
		installed, err := rpmdb.Read(content)
		if err != nil {
			return nil
		}
		var out []record
		for _, p := range installed {
			out = append(out, record{Name: p.Name, Version: p.Version, Bytes: p.Bytes, Files: p.Files})
		}
		return out
	}),
}
