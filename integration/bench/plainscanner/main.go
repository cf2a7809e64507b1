// Command plainscanner scans for an SBOM as docker/buildkit-syft-scanner does:
// syft with its own defaults, on all of the root, each time. It is what the
// frontend's own scanner is measured against; nothing else uses it.
//
// The protocol is BuildKit's docs/attestations/sbom-protocol.md.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/format/spdxjson"
	"github.com/anchore/syft/syft/source/directorysource"
	intoto "github.com/in-toto/in-toto-golang/in_toto"
	_ "modernc.org/sqlite" // the driver with which syft reads RPM's databases
)

func main() {
	if err := scan(context.Background(), os.Getenv("BUILDKIT_SCAN_SOURCE"), os.Getenv("BUILDKIT_SCAN_DESTINATION")); err != nil {
		fmt.Fprintln(os.Stderr, "plainscanner:", err)
		os.Exit(1)
	}
}

func scan(ctx context.Context, root, dest string) error {
	src, err := directorysource.NewFromPath(root)
	if err != nil {
		return err
	}
	defer src.Close()
	bom, err := syft.CreateSBOM(ctx, src, nil)
	if err != nil {
		return err
	}
	encoder, err := spdxjson.NewFormatEncoderWithConfig(spdxjson.EncoderConfig{Version: "2.3"})
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dest, filepath.Base(root)+".spdx.json"))
	if err != nil {
		return err
	}
	defer f.Close()
	var document bytes.Buffer
	if err := encoder.Encode(&document, *bom); err != nil {
		return err
	}
	return json.NewEncoder(f).Encode(intoto.Statement{
		StatementHeader: intoto.StatementHeader{Type: intoto.StatementInTotoV01, PredicateType: intoto.PredicateSPDX},
		Predicate:       json.RawMessage(document.Bytes()),
	})
}
