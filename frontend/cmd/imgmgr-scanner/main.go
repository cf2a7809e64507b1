// Command imgmgr-scanner makes the SBOM of a build. The frontend's entrypoint
// turns into it when BuildKit runs the frontend's image as a scanner.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/imgmgr/imgmgr/frontend/scanner"
	"github.com/moby/buildkit/util/appcontext"
)

// version is set by the linker in releases: -X main.version=v1.2.3.
var version string

func main() {
	debug.SetGCPercent(200) // the process lives for seconds
	if version == "" {
		version = "devel"
		if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
			version = info.Main.Version
		}
	}
	err := scanner.Run(appcontext.Context(), os.Getenv, version)
	switch {
	case err == nil:
	case scanner.Optional(os.Getenv):
		fmt.Fprintln(os.Stderr, "imgmgr-scanner: warning: this build has no SBOM:", err)
	default:
		fmt.Fprintln(os.Stderr, "imgmgr-scanner:", err)
		os.Exit(2)
	}
}
