package packages

import (
	"path"
	"strconv"
	"strings"
)

// dpkg keeps its records in one file; distroless images have one for each package.
var dpkg = &manager{
	kind: "deb",
	records: func(name string) bool {
		dir, base := path.Split(name)
		return name == "var/lib/dpkg/status" || dir == "var/lib/dpkg/status.d/" && !strings.HasSuffix(base, ".md5sums")
	},
	parse: func(content []byte) []record {
		var out []record
		for stanza := range strings.SplitSeq(string(content), "\n\n") {
			fields := stanzaFields(stanza, ": ")
			state := fields["Status"]
			if fields["Package"] == "" || state != "" && !strings.HasSuffix(state, " installed") {
				continue
			}
			kib, _ := strconv.ParseInt(fields["Installed-Size"], 10, 64) // 0 if it isn't there
			out = append(out, record{Name: fields["Package"], Version: fields["Version"], Bytes: kib << 10})
		}
		return out
	},
}

// stanzaFields are the fields of a stanza, each on a line of its own. Lines that
// continue a field are left out.
func stanzaFields(stanza, separator string) map[string]string {
	fields := map[string]string{}
	for line := range strings.SplitSeq(stanza, "\n") {
		key, value, ok := strings.Cut(line, separator)
		if _, seen := fields[key]; ok && !seen && !strings.HasPrefix(key, " ") {
			fields[key] = strings.TrimSpace(value)
		}
	}
	return fields
}
