package packages

import (
	"strconv"
	"strings"
)

// apk keeps its records in one file, with fields of one letter: P is the name, V
// the version, I the size in bytes.
var apk = &manager{
	kind: "apk",
	records: func(name string) bool {
		return name == "lib/apk/db/installed" || name == "usr/lib/apk/db/installed"
	},
	parse: func(content []byte) []record {
		var out []record
		for stanza := range strings.SplitSeq(string(content), "\n\n") {
			fields := stanzaFields(stanza, ":")
			if fields["P"] == "" {
				continue
			}
			size, _ := strconv.ParseInt(fields["I"], 10, 64) // 0 if it isn't there
			out = append(out, record{Name: fields["P"], Version: fields["V"], Bytes: size})
		}
		return out
	},
}
