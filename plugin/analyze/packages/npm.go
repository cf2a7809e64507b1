package packages

import (
	"encoding/json"
	"path"
	"strings"
)

// npm, yarn and pnpm put each package into a folder of node_modules, with its
// package.json. Packages may have files of that name deeper inside.
var npm = &manager{
	kind: "npm",
	records: func(name string) bool {
		dir, base := path.Split(name)
		_, pkg, ok := cutLast(path.Clean(dir), "node_modules/")
		depth := strings.Count(pkg, "/")
		return ok && base == "package.json" && (depth == 0 || depth == 1 && strings.HasPrefix(pkg, "@"))
	},
	parse: func(content []byte) []record {
		var manifest struct{ Name, Version string }
		if json.Unmarshal(content, &manifest) != nil || manifest.Name == "" {
			return nil
		}
		return []record{{Name: manifest.Name, Version: manifest.Version}}
	},
}

// cutLast is strings.Cut around the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
