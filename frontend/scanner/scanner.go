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
// statement renders them as SPDX 2.3 in an in-toto statement.
//
// Equal roots give equal bytes: a rebuild that changes nothing gives the image
// index the same digest as before.
package scanner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
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

// Requested reports whether BuildKit started this process as an SBOM scanner.
func Requested(env func(string) string) bool {
	return env(EnvDestination) != ""
}

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
func run(ctx context.Context, env func(string) string, version string, prepare func(context.Context) (context.Context, error)) error {
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
	if ctx, err = prepare(ctx); err != nil {
		return fmt.Errorf("prepare to scan: %w; %s", err, remedy)
	}
	statements := make([][]byte, len(targets))
	for i, t := range targets {
		if statements[i], err = scan(ctx, t, created, version); err != nil {
			return fmt.Errorf("scan %s for the SBOM %q: %w; %s", t.root, t.name, err, remedy)
		}
	}
	for i, t := range targets {
		path := filepath.Join(dest, t.name+".spdx.json")
		if err := os.WriteFile(path, statements[i], 0o644); err != nil {
			return fmt.Errorf("write the SBOM %q: %w; %s", t.name, err, remedy)
		}
	}
	return nil
}

func scan(ctx context.Context, t target, created time.Time, version string) ([]byte, error) {
	root, err := filepath.EvalSymlinks(t.root)
	if err != nil {
		return nil, err
	}
	leaks, err := findLeaks(ctx, root)
	if err != nil {
		return nil, err
	}
	bom, err := catalog(ctx, root, t.name, leaks)
	if err != nil {
		return nil, err
	}
	if err := digestEvidence(ctx, root, bom); err != nil {
		return nil, err
	}
	return statement(bom, t.name, created, version)
}

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
		if !e.IsDir() {
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
