package packages

import (
	"path"
	"strconv"
	"strings"
)

// dpkg keeps its records in one file; distroless images have one for each package.
// A package's files are listed in a file of its own, with checksums in distroless
// images.
var dpkg = &manager{
	kind: "deb", version: "2",
	wants: byPath(func(name string) bool {
		dir, _ := path.Split(name)
		return name == "var/lib/dpkg/status" || dir == dpkgRecords || dir == dpkgLists && strings.HasSuffix(name, ".list")
	}),
	read: whole(func(name string, content []byte) []record {
		dir, base := path.Split(name)
		switch {
		case strings.HasSuffix(name, ".list"): // of "bash", or "libc6:amd64"
			key, _, _ := strings.Cut(strings.TrimSuffix(base, ".list"), ":")
			return []record{{Key: key, Files: strings.Fields(string(content))}}
		case strings.HasSuffix(name, ".md5sums"):
			return []record{{Key: strings.TrimSuffix(base, ".md5sums"), Files: summed(string(content))}}
		case dir == dpkgRecords:
			return dpkgStanzas(string(content), base)
		}
		return dpkgStanzas(string(content), "")
	}),
}

const (
	dpkgRecords = "var/lib/dpkg/status.d/"
	dpkgLists   = "var/lib/dpkg/info/"
)

// dpkgStanzas are the packages that are installed. Their lists are under key, or
// under each one's name.
func dpkgStanzas(content, key string) []record {
	var out []record
	for stanza := range strings.SplitSeq(content, "\n\n") {
		fields := stanzaFields(stanza, ": ")
		name, state := fields["Package"], fields["Status"]
		if name == "" || state != "" && !strings.HasSuffix(state, " installed") {
			continue
		}
		kib, _ := strconv.ParseInt(fields["Installed-Size"], 10, 64) // 0 if it isn't there
		r := record{Name: name, Version: fields["Version"], Bytes: kib << 10, Key: key}
		if key == "" {
			r.Key = name
		}
		out = append(out, r)
	}
	return out
}

// summed are the files of a list of checksums: a sum, spaces, a path.
func summed(list string) []string {
	var out []string
	for line := range strings.Lines(list) {
		if _, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			out = append(out, strings.TrimSpace(name))
		}
	}
	return out
}
