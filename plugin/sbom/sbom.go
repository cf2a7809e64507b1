// Package sbom is `docker imgmgr sbom`: it prints the SBOM that is attached to
// an image, has one made where there is none, and says which instruction of the
// Dockerfile brought each package in.
//
// The core reads an SPDX document (Parse) and an image (Group) and gives what
// the printers print; command.go and make.go talk to the world.
package sbom

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Document is an SBOM.
type Document struct {
	// Name tells what it is of: "sbom" for the image, "sbom-build" for a stage
	// called build, "sbom-context" for the build context.
	Name     string
	Packages []Package // by type, name and version
	// SPDX is the whole document as it is attached, as JSON.
	SPDX []byte
}

// Package is a package that was found.
type Package struct {
	Name    string
	Version string
	Type    string // of its package URL: "deb", "npm", "golang"; "" without one
	PURL    string // its package URL; may be empty
	License string // an SPDX expression; "" where nothing is asserted
	From    *Origin
}

// Origin is where a package came from, as docs/sbom.md describes it. The
// frontend writes it; an SBOM of another maker has none.
type Origin struct {
	Instruction
	// Origin is the instruction of another stage that made what was copied.
	Origin *Instruction `json:"origin"`
}

// Instruction is one of the Dockerfile that the image was built from.
type Instruction struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // from 1
	Text    string `json:"instruction"`
	Stage   string `json:"stage"`
	Base    string `json:"base"`    // the base image, where it brought in one
	History *int   `json:"history"` // index of its entry in the image's history
}

// spdx is what is read of an SPDX 2.3 document.
type spdx struct {
	SPDXVersion string `json:"spdxVersion"`
	Name        string `json:"name"`
	Packages    []struct {
		Name            string `json:"name"`
		VersionInfo     string `json:"versionInfo"`
		LicenseDeclared string `json:"licenseDeclared"`
		PrimaryPurpose  string `json:"primaryPackagePurpose"`
		ExternalRefs    []struct {
			ReferenceType    string `json:"referenceType"`
			ReferenceLocator string `json:"referenceLocator"`
		} `json:"externalRefs"`
		Annotations []struct {
			Comment string `json:"comment"`
		} `json:"annotations"`
	} `json:"packages"`
}

// Parse reads an SPDX document in an in-toto statement, as BuildKit attaches it.
func Parse(statement []byte) (*Document, error) {
	var s struct {
		Predicate json.RawMessage `json:"predicate"`
	}
	if err := json.Unmarshal(statement, &s); err != nil {
		return nil, fmt.Errorf("read the SBOM: %w", err)
	}
	var in spdx
	if err := json.Unmarshal(s.Predicate, &in); err != nil {
		return nil, fmt.Errorf("read the SBOM: %w", err)
	}
	if !strings.HasPrefix(in.SPDXVersion, "SPDX-2.") {
		return nil, fmt.Errorf("read the SBOM: it is of version %q, and SPDX 2 is what can be read", in.SPDXVersion)
	}
	doc := &Document{Name: in.Name, SPDX: s.Predicate}
	for _, p := range in.Packages {
		out := Package{Name: p.Name, Version: p.VersionInfo, License: asserted(p.LicenseDeclared)}
		for _, ref := range p.ExternalRefs {
			if kind, ok := strings.CutPrefix(ref.ReferenceLocator, "pkg:"); ok && ref.ReferenceType == "purl" {
				out.PURL = ref.ReferenceLocator
				out.Type, _, _ = strings.Cut(kind, "/")
			}
		}
		if out.PURL == "" && (p.PrimaryPurpose == "FILE" || p.PrimaryPurpose == "CONTAINER") {
			continue // the image itself
		}
		for _, a := range p.Annotations {
			var told struct {
				BroughtInBy *Origin `json:"broughtInBy"`
			}
			// Others annotate in their own ways.
			if json.Unmarshal([]byte(a.Comment), &told) == nil && told.BroughtInBy != nil {
				out.From = told.BroughtInBy
			}
		}
		doc.Packages = append(doc.Packages, out)
	}
	slices.SortStableFunc(doc.Packages, func(a, b Package) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version))
	})
	return doc, nil
}

func asserted(license string) string {
	if license == "NOASSERTION" || license == "NONE" {
		return ""
	}
	return license
}

// errNone says that no SBOM is attached.
var errNone = errors.New("no SBOM is attached to it")

// choose finds the document of the image itself (stage ""), or that of a stage
// or of the build context, which BuildKit names so.
func choose(docs []*Document, stage string) (*Document, error) {
	if len(docs) == 0 {
		return nil, errNone
	}
	var names []string
	for _, d := range docs {
		extra, ok := strings.CutPrefix(d.Name, "sbom-")
		if ok {
			names = append(names, extra)
		}
		if stage == "" && !ok || stage != "" && extra == stage && ok {
			return d, nil
		}
	}
	if stage == "" {
		return docs[0], nil
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("there is no SBOM of a stage %q: put ARG BUILDKIT_SBOM_SCAN_STAGE=true into it and build again", stage)
	}
	return nil, fmt.Errorf("there is no SBOM of a stage %q, but of %s", stage, strings.Join(names, ", "))
}
