//go:build linux

package integration_test

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/imgmgr/imgmgr/integration/oracle"
	"github.com/imgmgr/imgmgr/integration/sandbox"
)

var (
	// proofPage is where the oracle writes what it has proven: docs/proof.md.
	proofPage = flag.String("proof", "", "write a page of what was proven to this `file`")
	accept    = flag.Bool("accept", false, "make what is rewritten now what each oracle.json expects")
)

// TestProjectsStayTheSame is the differential oracle: what our frontend builds
// equals what BuildKit's own builds, but for the declared package caches; and
// what it leaves alone is what each project's oracle.json says.
func TestProjectsStayTheSame(t *testing.T) {
	projects, err := oracle.Projects("testdata")
	if err != nil {
		t.Fatal(err)
	}
	// A step that another day's run left in the cache may have written that day
	// into its files, as useradd does into /etc/shadow.
	if err := sb.BuildKit.Prune(t.Context(), nil, client.WithFilter([]string{"type==regular"})); err != nil {
		t.Fatal(err)
	}
	t.Parallel()
	around := newSurroundings(t)
	proofs := make([]oracle.Proof, len(projects))
	t.Run("project", func(t *testing.T) {
		for i, p := range projects {
			t.Run(p.Name, func(t *testing.T) {
				t.Parallel()
				proofs[i] = prove(t, p, around)
			})
		}
	})
	if *proofPage == "" {
		return
	}
	// Also where one has failed: the page says so, and its own test does.
	writeProof(t, projects, slices.DeleteFunc(proofs, func(p oracle.Proof) bool { return p.Project.Name == "" }))
}

// prove builds a project with both frontends and judges.
func prove(t *testing.T, p oracle.Project, around *surroundings) oracle.Proof {
	if err := around.addStandIns(p); err != nil {
		t.Fatal(err)
	}
	args, err := p.BuildArgs(around.server)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(p.Path(p.Folder))); err != nil {
		t.Fatal(err)
	}
	plain := sandbox.BuildRequest{Context: dir, Target: p.Target, BuildArgs: args}
	ours := plain
	ours.Frontend = frontendRef + " sbom=off" // which is no part of the image, and takes its time
	if len(p.Edit) > 0 {
		build(t, ours)
		appendTo(t, dir, p.Edit)
	}
	proof := oracle.Proof{Project: p, Plan: explain(t, ours)}
	if *accept {
		if err := proof.Project.Update(proof.Plan); err != nil {
			t.Fatal(err)
		}
	}
	for _, unexpected := range proof.Project.Unexpected(proof.Plan) {
		t.Error(unexpected)
	}
	if len(proof.Plan.Applied) == 0 {
		// Both are the same build, and nothing may be noise.
		images := pushed(t, plain, ours)
		proof.Verdict = oracle.Judge(images[0], images[0], images[1], oracle.Allowed{})
	} else {
		proof.Verdict = judge(t, plain, ours, oracle.AllowedBy(proof.Plan))
	}
	t.Log(proof.Verdict)
	if !proof.Verdict.Equal() {
		t.Error("the rewritten image differs")
	}
	return proof
}

// appendTo edits files.
func appendTo(t *testing.T, dir string, edits map[string]string) {
	t.Helper()
	for name, text := range edits {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func writeProof(t *testing.T, projects []oracle.Project, proofs []oracle.Proof) {
	t.Helper()
	// The sandbox builds the BuildKit that this module requires.
	version, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", "github.com/moby/buildkit").Output()
	if err != nil {
		t.Fatal(err)
	}
	bases := "Base images are those of Docker Hub."
	if !sb.Hub {
		bases = "Base images are stand-ins made of Debian's packages and this machine's Go and Node.js, as Docker Hub could not be reached."
	}
	old, err := os.ReadFile(*proofPage)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := oracle.Report(&page, string(old), strings.TrimSpace(string(version)), bases, projects, proofs); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*proofPage, page.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
