package scanner

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/format/common/spdxhelpers"
	"github.com/anchore/syft/syft/source/directorysource"
)

// BenchmarkScan measures the CPU seconds of a scan of a root with 1,000 npm
// packages, a Go binary, and a binary of 100 MB, as node is:
//
//	plain      as docker/buildkit-syft-scanner does it: syft's defaults, all of it
//	whole      ours, of all of it
//	source     ours, after an edit of a source file, with the rest kept
//
// "x-plain" is the ratio to plain, of the same run. What syft tells licenses
// apart with is made before, once for all: each way needs it.
func BenchmarkScan(b *testing.B) {

	dir := b.TempDir()
	below, root, changed := filepath.Join(dir, "below", "sbom"), filepath.Join(dir, "core", "sbom"), filepath.Join(dir, "changed")
	fill(b, below)
	clone(b, below, root)
	for _, at := range []string{root, changed} {
		os.Remove(filepath.Join(at, "app/server.js"))
		writeFile(b, at, "app/server.js", "edited")
	}
	kept := filepath.Join(dir, "kept")
	clone(b, below, filepath.Join(kept, "root"))
	scan := func(b *testing.B, env map[string]string) {
		if err := run(b.Context(), func(name string) string { return env[name] }, "v0.0.0-test", licensesOf); err != nil {
			b.Fatal(err)
		}
	}
	keep := environ(below, "", filepath.Join(kept, "scan"))
	keep[EnvKeep] = "true"
	if err := os.MkdirAll(keep[EnvDestination], 0o755); err != nil {
		b.Fatal(err)
	}
	scan(b, keep)

	var plain float64
	for _, way := range []struct {
		name string
		scan func(b *testing.B)
	}{
		{"plain", func(b *testing.B) { plainScan(b, root) }},
		{"whole", func(b *testing.B) { scan(b, environ(root, "", b.TempDir())) }},
		{"source", func(b *testing.B) {
			env := environ(root, "", b.TempDir())
			env[EnvBelow], env[EnvChanged] = kept, changed
			scan(b, env)
		}},
	} {
		b.Run(way.name, func(b *testing.B) {
			began := cpuSeconds(b)
			n := 0
			for b.Loop() {
				way.scan(b)
				n++
			}
			used := (cpuSeconds(b) - began) / float64(n)
			if way.name == "plain" {
				plain = used
			}
			b.ReportMetric(used, "cpu-s/op")
			if plain > 0 {
				b.ReportMetric(used/plain, "x-plain")
			}
		})
	}
}

// fill makes the root that is scanned.
func fill(b *testing.B, root string) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		b.Fatal(err)
	}
	writeFile(b, root, "usr/lib/os-release", osRelease)
	writeFile(b, root, "var/lib/dpkg/status", dpkgStatus)
	writeFile(b, root, "usr/local/bin/tool", string(text))
	big := []byte("\x7fELF\x02\x01\x01")
	for i := 0; len(big) < 100<<20; i++ {
		big = fmt.Appendf(big, "v%d.%d node.js/%x\x00", i%40, i, i*7919)
	}
	writeFile(b, root, "usr/local/bin/node", string(big))
	if err := os.Chmod(filepath.Join(root, "usr/local/bin/node"), 0o755); err != nil {
		b.Fatal(err)
	}
	writeFile(b, root, "app/server.js", "")
	for i := range 1000 {
		at := fmt.Sprintf("app/node_modules/p%d/", i)
		writeFile(b, root, at+"package.json", fmt.Sprintf(`{"name": "p%d", "version": "1.0.%d", "license": "MIT"}`, i, i))
		writeFile(b, root, at+"LICENSE", mit)
		for j := range 10 {
			writeFile(b, root, fmt.Sprintf("%slib/%d.js", at, j), "module.exports = 1\n")
		}
	}
}

// plainScan is what docker/buildkit-syft-scanner asks of syft: a directory,
// syft's own defaults, and an SPDX document.
func plainScan(b *testing.B, root string) {
	src, err := directorysource.NewFromPath(root)
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	ctx, err := licenses()
	if err != nil {
		b.Fatal(err)
	}
	bom, err := syft.CreateSBOM(ctx, src, nil)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := encode(spdxhelpers.ToFormatModel(*bom)); err != nil {
		b.Fatal(err)
	}
}

func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
