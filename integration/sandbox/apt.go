//go:build linux

package sandbox

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"strings"
)

// suite is the Debian release that the stand-in images are made of.
const suite = "bookworm"

// archive is where Debian packages come from.
type archive struct{ main, security string }

// hostArchive reads the mirrors from this machine's apt settings. A machine
// whose apt knows no Debian can't make stand-in images.
func hostArchive(ctx context.Context) (archive, error) {
	out, err := output(exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"))
	if err != nil {
		return archive{}, fmt.Errorf("reading the mirrors from apt's settings: %w", err)
	}
	var found archive
	for line := range strings.Lines(out) {
		uri := strings.TrimSuffix(strings.TrimSpace(line), "/")
		switch path.Base(uri) {
		case "debian":
			found.main = uri
		case "debian-security":
			found.security = uri
		}
	}
	if found.main == "" {
		return archive{}, errors.New("apt's settings name no Debian mirror, which stand-in images are made from: add one, or run where Docker Hub can be reached")
	}
	return found, nil
}

// sources is the text of a debian.sources file for the archive.
func (a archive) sources() string {
	const format = "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
	text := fmt.Sprintf(format, a.main, suite+" "+suite+"-updates")
	if a.security != "" {
		text += fmt.Sprintf(format, a.security, suite+"-security")
	}
	return text
}

// fetchPackage downloads one package of another architecture, which this
// machine's apt doesn't know, and checks it against the archive's index.
func (a archive) fetchPackage(ctx context.Context, name, arch, to string) error {
	filename, sum, err := a.lookUp(ctx, name, arch)
	if err != nil {
		return err
	}
	body, err := get(ctx, a.main+"/"+filename)
	if err != nil {
		return err
	}
	defer body.Close()
	deb, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("downloading %s: %w", filename, err)
	}
	if got := sha256.Sum256(deb); hex.EncodeToString(got[:]) != sum {
		return fmt.Errorf("downloading %s: its digest is not that of the index: try again later", filename)
	}
	return os.WriteFile(to, deb, 0o644)
}

// lookUp finds a package's file and digest in the archive's index.
func (a archive) lookUp(ctx context.Context, name, arch string) (filename, sum string, err error) {
	index := fmt.Sprintf("%s/dists/%s/main/binary-%s/Packages.gz", a.main, suite, arch)
	body, err := get(ctx, index)
	if err != nil {
		return "", "", err
	}
	defer body.Close()
	text, err := gzip.NewReader(body)
	if err != nil {
		return "", "", fmt.Errorf("reading %s: %w", index, err)
	}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	inside := false
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case field == "Package":
			inside = value == name
		case inside && field == "Filename":
			filename = value
		case inside && field == "SHA256":
			sum = value
		}
		if filename != "" && sum != "" {
			return filename, sum, nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", "", fmt.Errorf("reading %s: %w", index, err)
	}
	return "", "", fmt.Errorf("%s has no package %s", index, name)
}

// get starts a download.
func get(ctx context.Context, url string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("downloading %s: %w", url, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("downloading %s: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("downloading %s: %s", url, resp.Status)
	}
	return resp.Body, nil
}
