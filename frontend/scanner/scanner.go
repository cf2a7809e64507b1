// Package scanner makes the frontend's image its own SBOM scanner.
//
// BuildKit runs an SBOM scanner as one more step of the build. The root file
// system of the result is mounted read-only, three environment variables say
// where it is, and whatever in-toto statements the scanner leaves in the
// destination directory become attestations of the image. The protocol is
// BuildKit's docs/attestations/sbom-protocol.md.
//
// The path through the package: [Run] reads the protocol, findLeaks makes sure
// that the scan stays in the root, catalog asks syft for the packages and
// statement renders them as SPDX 2.3 in an in-toto statement. [reuse] makes a
// document from that of an earlier scan, and of what changed since.
//
// Equal roots give equal bytes: a rebuild that changes nothing gives the image
// index the same digest as before.
package scanner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/anchore/syft/syft/format/common/spdxhelpers"
	"github.com/spdx/tools-golang/spdx"
)

// The environment variables of BuildKit's SBOM scanner protocol.
const (
	EnvSource      = "BUILDKIT_SCAN_SOURCE"
	EnvExtras      = "BUILDKIT_SCAN_SOURCE_EXTRAS"
	EnvDestination = "BUILDKIT_SCAN_DESTINATION"
)

// EnvOptional is ours. The frontend sets it, as the generator's parameter
// OPTIONAL=true, where nobody asked for the SBOM: see [Optional].
const EnvOptional = "BUILDKIT_SCAN_OPTIONAL"

// Ours as well: by these the frontend has a scan kept, and a later one of what
// was built onto the same root made from it. EnvKeep asks for a scan to be kept,
// in the destination. EnvBelow is a directory of two: root, the root that was
// scanned, and scan, the scan's destination. EnvChanged holds what the core has
// more than that root, or different.
const (
	EnvKeep    = "BUILDKIT_SCAN_KEEP"
	EnvBelow   = "BUILDKIT_SCAN_BELOW"
	EnvChanged = "BUILDKIT_SCAN_CHANGED"
)

// BuildKit hands a scanner no environment but its image's own and the
// generator's parameters, which arrive with the second of these prefixes.
const (
	envEpoch      = "SOURCE_DATE_EPOCH"
	envEpochParam = "BUILDKIT_SCAN_SOURCE_DATE_EPOCH"
)

// contextTarget is the name of the extra that is the build context (the others
// are stages): a tree of sources, not the root of an image.
const contextTarget = "sbom-context"

// remedy ends every error of a scan: it is what somebody can do whose build is
// stopped by one.
const remedy = "to build without an SBOM, pass --build-arg IMGMGR_SBOM=off"

// Optional reports whether a build may go on without its SBOM when the scan
// fails. It is the caller of [Run] who then turns the error into a warning.
func Optional(env func(string) string) bool {
	on, err := strconv.ParseBool(env(EnvOptional))
	return err == nil && on
}

// A target is one root to scan. Its name is the last element of its path, as
// the protocol has it, and it names the document.
type target struct {
	name string
	root string
}

// Run scans what env names and writes one <name>.spdx.json for the result of
// the build and one for each extra stage or build context. Version is that of
// imgmgr, for the documents' list of creators.
//
// Nothing is written unless every scan succeeded.
func Run(ctx context.Context, env func(string) string, version string) error {
	return run(ctx, env, version, withLicenses)
}

// run takes what prepares ctx for the scans, so that tests can share it.
func run(ctx context.Context, env func(string) string, version string, prepare preparer) error {
	created, err := creationTime(env)
	if err != nil {
		return err
	}
	dest := env(EnvDestination)
	if dest == "" {
		return fmt.Errorf("write SBOMs: %s is not set; run this image as a generator: --attest type=sbom,generator=IMAGE", EnvDestination)
	}
	targets, err := findTargets(env)
	if err != nil {
		return err
	}
	s := &scanner{env: env, version: version, created: created, prepare: once(prepare)}
	files := map[string][]byte{}
	for i, t := range targets {
		if err := s.scan(ctx, t, i == 0, files); err != nil {
			return fmt.Errorf("scan %s for the SBOM %q: %w; %s", t.root, t.name, err, remedy)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(dest, name), files[name], 0o644); err != nil {
			return fmt.Errorf("write the SBOM %q: %w; %s", strings.TrimSuffix(name, suffix), err, remedy)
		}
	}
	return nil
}

// suffix ends the names of the documents.
const suffix = ".spdx.json"

// preparer prepares a context for a scan by syft.
type preparer func(context.Context) (context.Context, error)

// once prepares for all scans together, if there is one.
func once(prepare preparer) preparer {
	var first sync.Once
	var prepared context.Context
	var err error
	return func(ctx context.Context) (context.Context, error) {
		first.Do(func() { prepared, err = prepare(ctx) })
		if err != nil {
			return nil, fmt.Errorf("prepare to scan: %w", err)
		}
		return prepared, nil
	}
}

// scanner is one run.
type scanner struct {
	env     func(string) string
	version string
	created time.Time
	prepare preparer
}

// scan adds to files the document of t. The core's may be made from a scan of
// what lies below it, and may be kept for a scan to come.
func (s *scanner) scan(ctx context.Context, t target, core bool, files map[string][]byte) (err error) {
	if t.root, err = filepath.EvalSymlinks(t.root); err != nil {
		return err
	}
	keep := core && s.env(EnvKeep) != ""
	var doc *spdx.Document
	var kept, below *memory
	if core {
		if doc, kept, below, err = s.reuse(ctx, t, keep); err != nil {
			return err
		}
	}
	if doc == nil {
		if doc, kept, err = s.whole(ctx, t, keep); err != nil {
			return err
		}
	}
	if core {
		way, found, err := s.origins(ctx, t, doc, below)
		if err != nil {
			return err
		}
		if keep && way != nil {
			kept.Top, kept.Origins = way.Top, found
		} else if err := s.annotate(doc, way, found); err != nil {
			return err
		}
	}
	if keep {
		if files[memoryFile], err = json.Marshal(kept); err != nil {
			return fmt.Errorf("keep what was scanned: %w", err)
		}
	}
	files[t.name+suffix], err = statement(doc, t.name, s.created, s.version)
	return err
}

// whole scans all of t.
func (s *scanner) whole(ctx context.Context, t target, keep bool) (*spdx.Document, *memory, error) {
	ctx, err := s.prepare(ctx)
	if err != nil {
		return nil, nil, err
	}
	leaks, err := findLeaks(ctx, t.root)
	if err != nil {
		return nil, nil, err
	}
	var r *recorder
	var kept *memory
	if keep {
		r = &recorder{asked: newAsked()}
		kept = &memory{Version: s.version, Asked: r.asked}
		if kept.Links, kept.Names, err = links(ctx, t.root); err != nil {
			return nil, nil, err
		}
	}
	bom, err := catalog(ctx, t.root, t.name, leaks, r)
	if err != nil {
		return nil, nil, err
	}
	if err := digestEvidence(ctx, t.root, bom); err != nil {
		return nil, nil, err
	}
	return spdxhelpers.ToFormatModel(*bom), kept, nil
}

// reuse scans what changed in t since the scan below it, of which it returns the
// memory. Where that is not enough, or fails, it returns no document, and says
// why in the step's log.
func (s *scanner) reuse(ctx context.Context, t target, keep bool) (doc *spdx.Document, kept, below *memory, err error) {
	u, err := recall(s.env, t, s.version)
	if u == nil && err == nil {
		return nil, nil, nil, nil
	}
	if err == nil {
		below = u.kept
		doc, err = u.document(ctx, t.name, s.prepare)
	}
	if err == nil && keep {
		kept, err = u.remember(ctx)
	}
	if ctx.Err() != nil {
		return nil, nil, nil, ctx.Err()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "imgmgr-scanner: all of the image is scanned: %v\n", err)
		return nil, nil, below, nil
	}
	return doc, kept, below, nil
}

// ownStages is how extras are named that are stages of a rewrite's own: users
// did not write them, and there is nothing to find in them.
const ownStages = "sbom-imgmgr-"

// findTargets gives the core first and then the extras by name. The core has
// to be there; of the extras the protocol says that an unset variable and a
// directory that does not exist both mean none.
func findTargets(env func(string) string) ([]target, error) {
	core := env(EnvSource)
	if core == "" {
		return nil, fmt.Errorf("find what to scan: %s is not set; run this image as a generator: --attest type=sbom,generator=IMAGE", EnvSource)
	}
	info, err := os.Stat(core)
	if err != nil {
		return nil, fmt.Errorf("find what to scan: %s: %w; %s", EnvSource, err, remedy)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("find what to scan: %s: %s is not a directory; %s", EnvSource, core, remedy)
	}
	targets := []target{{name: filepath.Base(core), root: core}}

	extras := env(EnvExtras)
	if extras == "" {
		return targets, nil
	}
	entries, err := os.ReadDir(extras) // sorted by name
	if errors.Is(err, fs.ErrNotExist) {
		return targets, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find what else to scan: %s: %w; %s", EnvExtras, err, remedy)
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ownStages) {
			continue
		}
		if e.Name() == targets[0].name {
			return nil, fmt.Errorf("find what else to scan: %s: an extra is named %q as the result itself is; rename that stage", EnvExtras, e.Name())
		}
		targets = append(targets, target{name: e.Name(), root: filepath.Join(extras, e.Name())})
	}
	return targets, nil
}

// creationTime is what SPDX asks a document to say of its making. The clock
// would make two scans of one root differ, so without SOURCE_DATE_EPOCH it is
// the epoch; the provenance of the build holds the true time.
func creationTime(env func(string) string) (time.Time, error) {
	for _, name := range []string{envEpochParam, envEpoch} {
		v := env(name)
		if v == "" {
			continue
		}
		sec, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("date the SBOM: %s=%q is not a whole number of seconds since 1970; correct it or leave it out", name, v)
		}
		return time.Unix(sec, 0).UTC(), nil
	}
	return time.Unix(0, 0).UTC(), nil
}
