// Command imgmgr-frontend is the entrypoint of the frontend's image.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/imgmgr/imgmgr/frontend"
	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // the codec of the gateway's messages
)

func main() {
	var err error
	if os.Getenv("BUILDKIT_SCAN_DESTINATION") != "" {
		err = becomeScanner()
	} else {
		err = grpcclient.RunFromEnvironment(appcontext.Context(), frontend.Build)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "imgmgr-frontend:", err)
		os.Exit(2)
	}
}

// becomeScanner replaces this process by the scanner beside it. The scanner is
// a binary of its own because syft would make every start of the frontend four
// times as slow, and most starts are rebuilds that scan nothing.
func becomeScanner() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the SBOM scanner beside the frontend: %w; is /proc mounted?", err)
	}
	path := filepath.Join(filepath.Dir(self), "imgmgr-scanner")
	return fmt.Errorf("start the SBOM scanner %s: %w; build the image with it", path, syscall.Exec(path, []string{path}, os.Environ()))
}
