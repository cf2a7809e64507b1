//go:build linux

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// hubTimeout is how long Docker Hub may take to answer before stand-in images
// take its place.
const hubTimeout = 3 * time.Second

// program is something that the machine has to have, and the Debian package
// that brings it.
type program struct{ name, deb string }

// needs lists the programs for what this sandbox is going to start.
func (sb *Sandbox) needs(engine bool) []program {
	list := []program{{"runc", "runc"}, {"unshare", "util-linux"}, {"shellcheck", "shellcheck"}}
	if engine {
		list = append(list, program{"dockerd", "docker.io"}, program{"docker", "docker.io"}, program{"ip", "iproute2"})
	}
	if !sb.Hub {
		list = append(list, program{"debootstrap", "debootstrap"}, program{"dpkg-deb", "dpkg"})
	}
	return list
}

// require checks that the machine has the programs and, as root on a Debian or Ubuntu,
// installs what is missing.
func require(ctx context.Context, needs []program, log func(string, ...any)) error {
	if os.Geteuid() != 0 {
		return errors.New("the sandbox runs BuildKit and containers: run this as root")
	}
	missing := missingPackages(needs)
	if len(missing) == 0 {
		return nil
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil {
		return fmt.Errorf("install %s with this system's package manager", strings.Join(missing, ", "))
	}
	unlock, err := lock(ctx, filepath.Join(os.TempDir(), "imgmgr-apt.lock"), log)
	if err != nil {
		return err
	}
	defer unlock()
	if missing = missingPackages(needs); len(missing) == 0 {
		return nil
	}
	log("installing %s", strings.Join(missing, " "))
	install := append([]string{"install", "-y", "--no-install-recommends"}, missing...)
	for _, args := range [][]string{{"update"}, install} {
		cmd := exec.CommandContext(ctx, apt, args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if _, err := output(cmd); err != nil {
			return fmt.Errorf("installing %s (do it by hand, then run this again): %w", strings.Join(missing, ", "), err)
		}
	}
	for _, p := range needs {
		if _, err := findProgram(p.name); err != nil {
			return fmt.Errorf("the package %s of this system brings no %s: install the one that does", p.deb, p.name)
		}
	}
	return nil
}

// missingPackages names the packages of the programs that are not there.
// Daemons live in sbin, which not every PATH has.
func missingPackages(needs []program) []string {
	var debs []string
	for _, p := range needs {
		if _, err := findProgram(p.name); err != nil && !slices.Contains(debs, p.deb) {
			debs = append(debs, p.deb)
		}
	}
	return debs
}

// findProgram is exec.LookPath that looks into the sbin folders too.
func findProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", err
}

// hubAnswers asks Docker Hub's API root. Without a login it says 401.
func hubAnswers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, hubTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://registry-1.docker.io/v2/", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusUnauthorized
}
