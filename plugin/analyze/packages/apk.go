package packages

import (
	"strconv"
	"strings"
)

// apk keeps its records in one file, with fields of one letter: P is the name, V
// the version, I the size in bytes, F a folder, and R a file of it.
var apk = &manager{
	kind: "apk", version: "2",
	wants: byPath(func(name string) bool {
		return name == "lib/apk/db/installed" || name == "usr/lib/apk/db/installed"
	}),
	read: whole(func(_ string, content []byte) []record {
		var out []record
		for stanza := range strings.SplitSeq(string(content), "\n\n") {
			fields := stanzaFields(stanza, ":")
			if fields["P"] == "" {
				continue
			}
			size, _ := strconv.ParseInt(fields["I"], 10, 64) // 0 if it isn't there
			out = append(out, record{Name: fields["P"], Version: fields["V"], Bytes: size, Files: apkFiles(stanza)})
		}
		return out
	}),
}

func apkFiles(stanza string) []string {
	var out fileList
	folder := ""
	for line := range strings.SplitSeq(stanza, "\n") {
		if name, ok := strings.CutPrefix(line, "F:"); ok {
			folder = name
		} else if name, ok := strings.CutPrefix(line, "R:"); ok && !out.add(folder, name) {
			break
		}
	}
	return out.paths
}
