package scanner

import (
	"context"
	"crypto/sha1" // SPDX demands SHA-1 of every file it names
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/cataloging"
	"github.com/anchore/syft/syft/cataloging/filecataloging"
	"github.com/anchore/syft/syft/cataloging/pkgcataloging"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/sbom"
	"github.com/anchore/syft/syft/source"
	"github.com/anchore/syft/syft/source/directorysource"
	_ "modernc.org/sqlite" // the driver with which syft reads RPM's databases
)

// withLicenses gives ctx what syft tells the texts of licenses apart with. It
// takes most of a second to make, so all targets share it.
func withLicenses(ctx context.Context) (context.Context, error) {
	return syft.SetContextLicenseScanner(ctx, cataloging.DefaultLicenseConfig())
}

// catalog lists what is installed in root. With root as the base too, absolute
// symbolic links resolve in it, as they would in the running image. Leaks are
// the links that would not; see findLeaks. What is asked of root goes through
// r, where there is one.
func catalog(ctx context.Context, root, name string, leaks []string, r *recorder) (*sbom.SBOM, error) {
	src, err := directorysource.New(directorysource.Config{
		Path:    root,
		Base:    root,
		Exclude: source.ExcludeConfig{Paths: leaks},
		// Without a name of its own, the path of the mount would become part
		// of the document.
		Alias: source.Alias{Name: name},
	})
	if err != nil {
		return nil, err
	}
	if r != nil {
		src = recorded{Source: src, record: r}
	}
	bom, err := syft.CreateSBOM(ctx, src, catalogConfig(name))
	return bom, errors.Join(err, src.Close())
}

// catalogConfig asks for packages and for the files that prove them, not for a
// list of all files: the image holds that list already, and making it would
// read every byte of the root.
func catalogConfig(name string) *syft.CreateSBOMConfig {
	// A stage is scanned as an image is: what is installed counts, not what a
	// forgotten lock file declares. A build context has only declarations.
	kind := pkgcataloging.ImageTag
	if name == contextTarget {
		kind = pkgcataloging.DirectoryTag
	}
	return syft.DefaultCreateSBOMConfig().
		WithCatalogerSelection(cataloging.NewSelectionRequest().WithDefaults(kind)).
		WithFilesConfig(filecataloging.DefaultConfig().WithSelection(file.NoFilesSelection)).
		WithRelationshipsConfig(cataloging.DefaultRelationshipsConfig().WithPackageFileOwnership(false))
}

// digestEvidence adds the digests of the files that prove a package. Syft
// would otherwise fill in a SHA-1 of zeros.
func digestEvidence(ctx context.Context, root string, bom *sbom.SBOM) error {
	// An os.Root refuses any path that leads out of it.
	dir, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer dir.Close()
	digests := map[file.Coordinates][]file.Digest{}
	for _, c := range bom.AllCoordinates() {
		if err := ctx.Err(); err != nil {
			return err
		}
		// A full path is that of an entry of an archive: not a file on disk.
		if c.FullPath != "" {
			continue
		}
		d, err := digestFile(dir, c.RealPath)
		if err != nil {
			return fmt.Errorf("digest %s: %w", c.RealPath, err)
		}
		if d != nil {
			digests[c] = d
		}
	}
	bom.Artifacts.FileDigests = digests
	return nil
}

// digestFile returns nil for what is not a regular file.
func digestFile(dir *os.Root, path string) ([]file.Digest, error) {
	path = strings.TrimPrefix(path, "/")
	info, err := dir.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil
	}
	f, err := dir.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	short, long := sha1.New(), sha256.New()
	if _, err := io.Copy(io.MultiWriter(short, long), f); err != nil {
		return nil, err
	}
	return []file.Digest{
		{Algorithm: "sha1", Value: hex.EncodeToString(short.Sum(nil))},
		{Algorithm: "sha256", Value: hex.EncodeToString(long.Sum(nil))},
	}, nil
}
