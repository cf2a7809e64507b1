package scanner

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/anchore/syft/syft"
	intoto "github.com/in-toto/in-toto-golang/in_toto"
	"github.com/spdx/tools-golang/spdx"
)

// namespace begins the name that SPDX wants each document to have for itself.
// It is an identifier and need not resolve.
const namespace = "https://github.com/imgmgr/imgmgr/spdx/"

// statement renders doc as an in-toto statement around an SPDX 2.3 document.
// It has no subjects: only BuildKit knows the digest of the image to come, and
// it fills them in.
func statement(doc *spdx.Document, name string, created time.Time, version string) ([]byte, error) {
	if err := finish(doc, name, created, version); err != nil {
		return nil, err
	}
	return encode(intoto.Statement{
		StatementHeader: intoto.StatementHeader{
			Type:          intoto.StatementInTotoV01,
			PredicateType: intoto.PredicateSPDX,
			Subject:       []intoto.Subject{},
		},
		Predicate: doc,
	})
}

// finish says in doc who made it and when, and makes equal documents equal
// bytes.
func finish(doc *spdx.Document, name string, created time.Time, version string) error {
	doc.DocumentName = name
	doc.CreationInfo.Creators = []spdx.Creator{
		{CreatorType: "Tool", Creator: "imgmgr-" + version},
		{CreatorType: "Tool", Creator: syftName()},
	}
	doc.CreationInfo.Created = created.Format(time.RFC3339)
	order(doc)

	// Syft's namespace ends in a random number. The digest of everything else
	// in the document is as unique, and the same for equal documents.
	doc.DocumentNamespace = ""
	text, err := encode(doc)
	if err != nil {
		return err
	}
	doc.DocumentNamespace = fmt.Sprintf("%s%s-%x", namespace, name, sha256.Sum256(text))
	return nil
}

// syftName is syft's name and version.
func syftName() string {
	config := syft.DefaultCreateSBOMConfig()
	return config.ToolName + "-" + config.ToolVersion
}

// order sorts what syft's catalogers, which run in parallel, leave in the
// order of their finishing.
func order(doc *spdx.Document) {
	slices.SortFunc(doc.Packages, func(a, b *spdx.Package) int {
		return cmp.Compare(a.PackageSPDXIdentifier, b.PackageSPDXIdentifier)
	})
	slices.SortFunc(doc.Files, func(a, b *spdx.File) int {
		return cmp.Compare(a.FileSPDXIdentifier, b.FileSPDXIdentifier)
	})
	slices.SortFunc(doc.Relationships, func(a, b *spdx.Relationship) int {
		return cmp.Or(
			cmp.Compare(a.RefA.ElementRefID, b.RefA.ElementRefID),
			cmp.Compare(a.Relationship, b.Relationship),
			cmp.Compare(a.RefB.ElementRefID, b.RefB.ElementRefID),
			cmp.Compare(a.RelationshipComment, b.RelationshipComment),
		)
	})
	slices.SortFunc(doc.OtherLicenses, func(a, b *spdx.OtherLicense) int {
		return cmp.Compare(a.LicenseIdentifier, b.LicenseIdentifier)
	})
}

// encode leaves <, > and & alone, which licence texts are full of.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode the SPDX document: %w", err)
	}
	return b.Bytes(), nil
}
