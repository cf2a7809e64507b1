package scanner

import (
	"reflect"
	"slices"
	"testing"

	"github.com/spdx/tools-golang/spdx"
)

// Syft's catalogers finish in any order. Real roots show it too rarely for a
// test to rely on.
func TestOrder(t *testing.T) {
	relation := func(a, kind, b, comment string) *spdx.Relationship {
		return &spdx.Relationship{
			RefA: spdx.DocElementID{ElementRefID: spdx.ElementID(a)}, Relationship: kind,
			RefB: spdx.DocElementID{ElementRefID: spdx.ElementID(b)}, RelationshipComment: comment,
		}
	}
	want := &spdx.Document{
		Packages: []*spdx.Package{{PackageSPDXIdentifier: "A"}, {PackageSPDXIdentifier: "B"}, {PackageSPDXIdentifier: "C"}},
		Files:    []*spdx.File{{FileSPDXIdentifier: "D"}, {FileSPDXIdentifier: "E"}},
		Relationships: []*spdx.Relationship{
			relation("A", "CONTAINS", "D", ""),
			relation("A", "OTHER", "D", ""),
			relation("A", "OTHER", "E", ""),
			relation("A", "OTHER", "E", "why"),
			relation("B", "CONTAINS", "D", ""),
		},
		OtherLicenses: []*spdx.OtherLicense{{LicenseIdentifier: "LicenseRef-1"}, {LicenseIdentifier: "LicenseRef-2"}},
	}
	got := &spdx.Document{
		Packages:      slices.Clone(want.Packages),
		Files:         slices.Clone(want.Files),
		Relationships: slices.Clone(want.Relationships),
		OtherLicenses: slices.Clone(want.OtherLicenses),
	}
	slices.Reverse(got.Packages)
	slices.Reverse(got.Files)
	slices.Reverse(got.Relationships)
	slices.Reverse(got.OtherLicenses)
	order(got)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("order depends on where things were: %+v", got)
	}
}
