package scanner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spdx/tools-golang/spdx"

	"github.com/imgmgr/imgmgr/frontend/trail"
)

// origin tells steps by their IDs: the one since which a package is in the
// image, and the one of another stage that made what was copied from there.
type origin struct {
	Step string
	From string `json:",omitempty"`
}

// origins finds where the packages of doc came from, by their keys. Kept is the
// memory of the scan of what lies below, where there is one. A failure costs the
// origins, and not the SBOM.
func (s *scanner) origins(ctx context.Context, t target, doc *spdx.Document, kept *memory) (*trail.Trail, map[string]origin, error) {
	way, err := trail.Parse(s.env(trail.Env))
	if way == nil && err == nil {
		return nil, nil, nil
	}
	if err == nil && s.env(EnvBelow) != "" && (kept == nil || kept.Origins == nil) {
		err = errors.New("it is not known for what lies below")
	}
	var found map[string]origin
	if err == nil {
		tr := newTracer(way, t.root, kept, s.prepare)
		found, err = tr.trace(ctx, evidence(doc))
		tr.close()
	}
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "imgmgr-scanner: the SBOM says of no package where it came from: %v\n", err)
		return nil, nil, nil
	}
	return way, found, nil
}

// annotate says of each package which instruction brought it in, as SPDX 2.3,
// clause 12, has it.
func (s *scanner) annotate(doc *spdx.Document, way *trail.Trail, found map[string]origin) error {
	if way == nil {
		return nil
	}
	told := map[string]*trail.Instruction{}
	for _, step := range way.Steps {
		told[step.ID] = step.Instruction
	}
	keys := map[spdx.ElementID]string{}
	for _, p := range evidence(doc) {
		keys[p.id] = p.key
	}
	texts := map[origin]string{}
	for _, p := range doc.Packages {
		o, ok := found[keys[p.PackageSPDXIdentifier]]
		if !ok || told[o.Step] == nil {
			continue
		}
		if texts[o] == "" {
			text, err := encode(trail.Annotation{BroughtInBy: &trail.Origin{Instruction: *told[o.Step], Origin: told[o.From]}})
			if err != nil {
				return err
			}
			texts[o] = strings.TrimSpace(string(text))
		}
		p.Annotations = append(p.Annotations, spdx.Annotation{
			Annotator:         spdx.Annotator{AnnotatorType: "Tool", Annotator: "imgmgr-" + s.version},
			AnnotationDate:    s.created.Format(time.RFC3339),
			AnnotationType:    "OTHER",
			AnnotationComment: texts[o],
		})
	}
	return nil
}

// proof is a package and the files that prove it.
type proof struct {
	id    spdx.ElementID
	key   string   // what it is, and where: the same in each root that has it
	at    string   // the file that tells: a database or a manifest
	paths []string // all of them, at among them
}

// evidence lists the packages of doc that files prove.
func evidence(doc *spdx.Document) []proof {
	files := map[spdx.ElementID]string{}
	for _, f := range doc.Files {
		files[f.FileSPDXIdentifier] = rooted(f.FileName)
	}
	paths := map[spdx.ElementID][]string{}
	for _, r := range doc.Relationships {
		if name, ok := files[r.RefB.ElementRefID]; ok && strings.HasPrefix(r.RelationshipComment, evident) {
			paths[r.RefA.ElementRefID] = append(paths[r.RefA.ElementRefID], name)
		}
	}
	var all []proof
	for _, p := range doc.Packages {
		list := paths[p.PackageSPDXIdentifier]
		if len(list) == 0 {
			continue
		}
		// Of several files the shortest is the one that the others go with:
		// dpkg's status, and not the list of a package's files.
		at := slices.MinFunc(list, func(a, b string) int {
			if len(a) != len(b) {
				return len(a) - len(b)
			}
			return strings.Compare(a, b)
		})
		all = append(all, proof{id: p.PackageSPDXIdentifier, key: identity(p) + " " + at, at: at, paths: list})
	}
	return all
}

// identity is the package's URL without the distribution, whose version may
// change under it.
func identity(p *spdx.Package) string {
	for _, ref := range p.PackageExternalReferences {
		if ref.RefType != "purl" {
			continue
		}
		url, qualifiers, _ := strings.Cut(ref.Locator, "?")
		for _, q := range strings.Split(qualifiers, "&") {
			if !strings.HasPrefix(q, "distro=") {
				url += "&" + q
			}
		}
		return url
	}
	return p.PackageName + "@" + p.PackageVersion
}
