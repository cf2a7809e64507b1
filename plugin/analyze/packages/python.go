package packages

import (
	"encoding/csv"
	"path"
	"strings"
)

// python is pip, uv, poetry and Debian's python3 packages, by the metadata that
// PEP 376 and 566 ask of an installed distribution: METADATA, and in RECORD its
// files, relative to the folder that the distribution's folder is in.
var python = &manager{
	kind: "pypi", version: "2",
	wants: byPath(func(name string) bool {
		return strings.HasSuffix(name, ".dist-info/METADATA") || strings.HasSuffix(name, ".dist-info/RECORD") || strings.HasSuffix(name, ".egg-info/PKG-INFO")
	}),
	read: whole(func(name string, content []byte) []record {
		folder := path.Dir(name)
		if path.Base(name) == "RECORD" {
			return []record{{Key: folder, Files: recorded(path.Dir(folder), string(content))}}
		}
		head, _, _ := strings.Cut(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n\n")
		fields := stanzaFields(head, ": ")
		if fields["Name"] == "" {
			return nil
		}
		return []record{{Name: fields["Name"], Version: fields["Version"], Key: folder}}
	}),
}

// recorded are the files of a RECORD: a table of path, checksum and size.
func recorded(folder, list string) []string {
	table := csv.NewReader(strings.NewReader(list))
	table.FieldsPerRecord, table.ReuseRecord = -1, true
	var out fileList
	for {
		row, err := table.Read()
		if err != nil || !out.add("/", folder, row[0]) {
			return out.paths // its end, or what makes no sense
		}
	}
}
