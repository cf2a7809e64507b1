package findings

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// statement is what is read of an in-toto statement with an SPDX 2.3 document.
type statement struct {
	Subject []struct {
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
	Predicate struct {
		Packages []struct {
			References []struct {
				Type    string `json:"referenceType"`
				Locator string `json:"referenceLocator"`
			} `json:"externalRefs"`
		} `json:"packages"`
	} `json:"predicate"`
}

// complete are the types of packages that scanners and this program find in the
// same places, so that one that is missing was overlooked.
var complete = map[string]bool{"deb": true, "apk": true, "rpm": true, "pypi": true}

// honesty holds the attached SBOM against the image. There may be several: build
// stages that were scanned have documents of their own, so that what the image
// lacks counts only where there is one.
func honesty(e *Evidence) []report.Finding {
	listed, subject := map[string]bool{}, len(e.SBOM) == 0 || e.Image.Digest == ""
	for _, raw := range e.SBOM {
		var s statement
		if json.Unmarshal(raw, &s) != nil {
			continue
		}
		subject = subject || len(s.Subject) == 0
		for _, of := range s.Subject {
			subject = subject || of.Digest[e.Image.Digest.Algorithm().String()] == e.Image.Digest.Encoded()
		}
		for _, p := range s.Predicate.Packages {
			for _, ref := range p.References {
				if kind, name, ok := purl(ref.Locator); ok && ref.Type == "purl" && complete[kind] {
					listed[name] = true
				}
			}
		}
	}
	if len(e.SBOM) == 0 || !e.looked() {
		return nil
	}
	there := map[string]bool{}
	for _, p := range e.Packages {
		if complete[p.Type] {
			there[normal(p.Type, p.Name, p.Version)] = true
		}
	}
	var out []report.Finding
	add := func(kind, message string, packages []string) {
		out = append(out, report.Finding{Kind: kind, Severity: report.Warning, Layer: -1, Paths: packages[:min(mostPaths, len(packages))], Files: len(packages), Message: message, Remedy: "Make it anew, from the image as it is: docker buildx build --sbom=true"})
	}
	if !subject {
		add("sbom-of-another", "the attached SBOM is about another image, by its digest", []string{})
	}
	if missing := without(there, listed); len(missing) > 0 {
		add("sbom-incomplete", fmt.Sprintf("the attached SBOM lacks %s of the image, %s among them", ui.Count(len(missing), "package"), missing[0]), missing)
	}
	if gone := without(listed, there); len(gone) > 0 && len(e.SBOM) == 1 {
		add("sbom-outdated", fmt.Sprintf("the attached SBOM lists %s that the image hasn't, %s among them", ui.Count(len(gone), "package"), gone[0]), gone)
	}
	return out
}

// looked reports whether the layers' files were looked into.
func (e *Evidence) looked() bool {
	for _, l := range e.Image.Layers {
		if !l.Hashed {
			return false
		}
	}
	return true
}

// without are the names of one set that another lacks.
func without(names, others map[string]bool) []string {
	var out []string
	for name := range names {
		if !others[name] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// purl reads a package URL, "pkg:deb/debian/libc6@2.36?arch=amd64": its type, and
// a name under which the same package has the same one.
func purl(text string) (kind, name string, ok bool) {
	rest, ok := strings.CutPrefix(text, "pkg:")
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	kind, rest, found := strings.Cut(rest, "/")
	at := strings.LastIndexByte(rest, '@')
	if !ok || !found || at < 0 {
		return "", "", false
	}
	name, err := url.PathUnescape(rest[:at])
	version, err2 := url.PathUnescape(rest[at+1:])
	if err != nil || err2 != nil {
		return "", "", false
	}
	return kind, normal(kind, path.Base(name), version), true // before the name is the distribution
}

var (
	epoch      = regexp.MustCompile(`^\d+:`)
	separators = regexp.MustCompile(`[-_.]+`)
)

// normal is a package's name and version: RPM's epoch is a qualifier of the URL,
// and PEP 503 says which names of Python packages are the same.
func normal(kind, name, version string) string {
	switch kind {
	case "rpm":
		version = epoch.ReplaceAllString(version, "")
	case "pypi":
		name = strings.ToLower(separators.ReplaceAllString(name, "-"))
	}
	return kind + "/" + name + " " + version
}
