package scanner

import (
	"crypto/sha1" // as SPDX has it
	"encoding/hex"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/artifact"
	"github.com/spdx/tools-golang/spdx"
)

// evident is how a relationship between a package and a file that proves it
// begins its comment.
const evident = string(artifact.EvidentByRelationship)

// drop removes the packages of doc that the files at paths prove. It reports
// false where one of them is proven by another file besides.
func drop(doc *spdx.Document, paths map[string]bool) bool {
	if len(paths) == 0 {
		return true
	}
	gone := map[spdx.ElementID]bool{}
	for _, f := range doc.Files {
		if paths[rooted(f.FileName)] {
			gone[f.FileSPDXIdentifier] = true
		}
	}
	kept := map[spdx.ElementID]bool{}
	for _, r := range doc.Relationships {
		if !strings.HasPrefix(r.RelationshipComment, evident) {
			continue
		}
		if !gone[r.RefB.ElementRefID] {
			kept[r.RefA.ElementRefID] = true
			continue
		}
		gone[r.RefA.ElementRefID] = true
	}
	for id := range kept {
		if gone[id] {
			return false
		}
	}
	doc.Files = slices.DeleteFunc(doc.Files, func(f *spdx.File) bool { return gone[f.FileSPDXIdentifier] })
	doc.Packages = slices.DeleteFunc(doc.Packages, func(p *spdx.Package) bool { return gone[p.PackageSPDXIdentifier] })
	doc.Relationships = slices.DeleteFunc(doc.Relationships, func(r *spdx.Relationship) bool {
		return gone[r.RefA.ElementRefID] || gone[r.RefB.ElementRefID]
	})
	doc.OtherLicenses = slices.DeleteFunc(doc.OtherLicenses, func(l *spdx.OtherLicense) bool {
		return !slices.ContainsFunc(doc.Packages, func(p *spdx.Package) bool {
			return names(p.PackageLicenseDeclared, l.LicenseIdentifier) || names(p.PackageLicenseConcluded, l.LicenseIdentifier)
		})
	})
	return true
}

// names reports whether a license expression has id as one of its words.
func names(expression, id string) bool {
	return slices.Contains(strings.FieldsFunc(expression, func(r rune) bool { return strings.ContainsRune(" ()", r) }), id)
}

// add puts into doc what more has and doc lacks.
func add(doc, more *spdx.Document) {
	doc.Packages = union(doc.Packages, more.Packages, func(p *spdx.Package) any { return p.PackageSPDXIdentifier })
	doc.Files = union(doc.Files, more.Files, func(f *spdx.File) any { return f.FileSPDXIdentifier })
	doc.OtherLicenses = union(doc.OtherLicenses, more.OtherLicenses, func(l *spdx.OtherLicense) any { return l.LicenseIdentifier })
	doc.Relationships = union(doc.Relationships, more.Relationships, func(r *spdx.Relationship) any { return *r })
}

func union[T any](have, more []T, key func(T) any) []T {
	seen := map[any]bool{}
	for _, v := range have {
		seen[key(v)] = true
	}
	for _, v := range more {
		if !seen[key(v)] {
			seen[key(v)] = true
			have = append(have, v)
		}
	}
	return have
}

// verify computes anew by what SPDX sums up the files of the package that
// stands for the whole root: SPDX 2.3, section 7.9.
func verify(doc *spdx.Document) {
	var root spdx.ElementID
	for _, r := range doc.Relationships {
		if r.RefA.ElementRefID == doc.SPDXIdentifier && r.Relationship == "DESCRIBES" {
			root = r.RefB.ElementRefID
		}
	}
	held := map[spdx.ElementID]bool{}
	for _, r := range doc.Relationships {
		if r.RefA.ElementRefID == root && r.Relationship == "CONTAINS" {
			held[r.RefB.ElementRefID] = true
		}
	}
	var sums []string
	for _, f := range doc.Files {
		for _, c := range f.Checksums {
			if c.Algorithm == spdx.SHA1 && held[f.FileSPDXIdentifier] {
				sums = append(sums, c.Value)
				break
			}
		}
	}
	slices.Sort(sums)
	for _, p := range doc.Packages {
		if p.PackageSPDXIdentifier != root {
			continue
		}
		p.FilesAnalyzed, p.PackageVerificationCode = len(sums) > 0, nil
		if len(sums) > 0 {
			sum := sha1.Sum([]byte(strings.Join(sums, "")))
			p.PackageVerificationCode = &spdx.PackageVerificationCode{Value: hex.EncodeToString(sum[:])}
		}
	}
}
