package packages

import (
	"archive/zip"
	"bytes"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// java are archives of Java programs and libraries, by the properties that Maven puts
// into them, by their manifests, or by their names. Those inside another
// archive, as Spring Boot packs them, count, too.
var java = &manager{
	kind: "maven", version: "1",
	wants: func(f *image.File) bool { return f.Size <= jarBytes && javaArchive(f.Path) },
	read: func(f *image.File, content io.Reader) ([]record, error) {
		raw, err := io.ReadAll(content)
		if err != nil {
			return nil, err
		}
		left := int64(jarBytes)
		return jar(f.Path, raw, jarDepth, &left), nil
	},
}

const (
	jarBytes   = 128 << 20 // of the largest archive that is read, and of all that is inflated of it
	jarDepth   = 2         // archives inside archives
	entryBytes = 1 << 20   // of a manifest, or of properties
)

func javaArchive(name string) bool {
	switch path.Ext(name) {
	case ".jar", ".war", ".ear":
		return true
	}
	return false
}

// jar are the packages of an archive; none if it is damaged. Left are the bytes that may
// still be inflated, of it and of all archives inside it.
func jar(name string, raw []byte, depth int, left *int64) []record {
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil
	}
	var named, inside []record
	var manifest map[string]string
	for _, f := range archive.File {
		switch {
		case f.Name == "META-INF/MANIFEST.MF":
			manifest = stanzaFields(strings.ReplaceAll(string(unzip(f, entryBytes, left)), "\r", ""), ": ")
		case strings.HasPrefix(f.Name, "META-INF/maven/") && path.Base(f.Name) == "pom.properties":
			if r, ok := properties(string(unzip(f, entryBytes, left))); ok {
				named = append(named, r)
			}
		case depth > 0 && javaArchive(f.Name):
			inside = append(inside, jar(f.Name, unzip(f, jarBytes, left), depth-1, left)...)
		}
	}
	if len(named) == 0 {
		if r, ok := manifested(manifest, name); ok {
			named = append(named, r)
		}
	}
	if len(named) > 0 {
		named[own(named, name)].Bytes = int64(len(raw))
		for _, r := range inside {
			named[own(named, name)].Bytes -= r.Bytes
		}
	}
	return append(named, inside...)
}

// unzip is an entry's content; nothing if it is damaged or longer than it may be.
func unzip(f *zip.File, most int64, left *int64) []byte {
	if f.UncompressedSize64 > uint64(min(most, *left)) {
		return nil
	}
	*left -= int64(f.UncompressedSize64) // of a longer one, reading is an error
	in, err := f.Open()
	if err != nil {
		return nil
	}
	defer in.Close()
	out, err := io.ReadAll(io.LimitReader(in, int64(f.UncompressedSize64)+1))
	if err != nil {
		return nil
	}
	return out
}

// properties is the package that a pom.properties names.
func properties(text string) (record, bool) {
	fields := stanzaFields(strings.ReplaceAll(text, "\r", ""), "=")
	group, artifact := fields["groupId"], fields["artifactId"]
	return record{Name: path.Join(group, artifact), Version: fields["version"]}, group != "" && artifact != ""
}

// versioned is an archive's name with a version at its end.
var versioned = regexp.MustCompile(`^(.+?)-(\d[\w.+-]*)$`)

// manifested is the package that a manifest names, or else the file's name.
func manifested(manifest map[string]string, name string) (record, bool) {
	base := strings.TrimSuffix(path.Base(name), path.Ext(name))
	r := record{Name: base}
	for _, key := range []string{"Implementation-Version", "Bundle-Version", "Specification-Version"} {
		if r.Version == "" {
			r.Version = manifest[key]
		}
	}
	if m := versioned.FindStringSubmatch(base); m != nil {
		r.Name = m[1]
		if r.Version == "" {
			r.Version = m[2]
		}
	}
	return r, r.Version != ""
}

// own is which of several packages the archive itself is: others were packed into
// it.
func own(named []record, name string) int {
	for i, r := range named {
		if strings.HasPrefix(path.Base(name), path.Base(r.Name)) {
			return i
		}
	}
	return 0
}
