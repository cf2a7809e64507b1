package ecosystem

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/imgmgr/imgmgr/lint/rpmdb"
)

// aptInstalled reads dpkg's status: a stanza for each package, with the state at
// the end of Status (dpkg(1), "Package states").
func aptInstalled(read func(string) ([]byte, error)) (map[string]string, error) {
	data, err := read("var/lib/dpkg/status")
	if err != nil {
		return nil, fmt.Errorf("read dpkg's list of packages: %w", err)
	}
	return stanzas(string(data), ": ", "Package", "Version", func(fields map[string]string) bool {
		return strings.HasSuffix(fields["Status"], " installed")
	}), nil
}

// apkInstalled reads apk's database: a stanza for each package, with fields of one
// letter. Its folder moved below /usr with Alpine 3.23.
func apkInstalled(read func(string) ([]byte, error)) (map[string]string, error) {
	data, err := first(read, "lib/apk/db/installed", "usr/lib/apk/db/installed")
	if err != nil {
		return nil, fmt.Errorf("read apk's list of packages: %w", err)
	}
	return stanzas(string(data), ":", "P", "V", func(map[string]string) bool { return true }), nil
}

// rpmInstalled reads RPM's database, which Fedora has below /usr since release 36.
func rpmInstalled(read func(string) ([]byte, error)) (map[string]string, error) {
	data, err := first(read, "usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/Packages.db", "var/lib/rpm/Packages.db")
	if err != nil {
		return nil, fmt.Errorf("read RPM's list of packages: %w", err)
	}
	list, err := rpmdb.Read(data)
	if err != nil {
		return nil, fmt.Errorf("read RPM's list of packages: %w", err)
	}
	installed := map[string]string{}
	for _, p := range list {
		installed[p.Name] = p.Version
	}
	return installed, nil
}

// first reads the first of the files that is there.
func first(read func(string) ([]byte, error), names ...string) (data []byte, err error) {
	for _, name := range names {
		if data, err = read(name); !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	return nil, err
}

// stanzas reads blocks of "key: value", with an empty line between.
func stanzas(text, separator, name, version string, installed func(map[string]string) bool) map[string]string {
	found := map[string]string{}
	for stanza := range strings.SplitSeq(text, "\n\n") {
		fields := map[string]string{}
		for line := range strings.SplitSeq(stanza, "\n") {
			if key, value, ok := strings.Cut(line, separator); ok && !strings.HasPrefix(line, " ") {
				if _, twice := fields[key]; !twice {
					fields[key] = value
				}
			}
		}
		if fields[name] != "" && installed(fields) {
			found[fields[name]] = fields[version]
		}
	}
	return found
}
