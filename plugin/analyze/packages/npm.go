package packages

import (
	"encoding/json"
	"path"
)

// npm, yarn and pnpm put each package into a folder of node_modules, with its
// package.json. Packages may have files of that name deeper inside.
var npm = &manager{
	kind: "npm", version: "2",
	wants: byPath(func(name string) bool {
		folder, ok := nodePackage(name)
		return ok && name == path.Join(folder, "package.json")
	}),
	read: whole(func(name string, content []byte) []record {
		var manifest struct{ Name, Version string }
		if json.Unmarshal(content, &manifest) != nil || manifest.Name == "" {
			return nil
		}
		return []record{{Name: manifest.Name, Version: manifest.Version, Folder: path.Dir(name)}}
	}),
}
