package buildkit_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/buildkit"
	"github.com/imgmgr/imgmgr/lint/facts"
)

func lint(t *testing.T, src string, fc facts.Context) *buildkit.Report {
	t.Helper()
	report, err := buildkit.Lint(context.Background(), "Dockerfile", []byte(src), fc)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestWarningsHavePlaces(t *testing.T) {
	report := lint(t, "FROM alpine\n\nMAINTAINER me\n", facts.Context{})
	if len(report.Warnings) != 1 {
		t.Fatalf("got %+v", report.Warnings)
	}
	w := report.Warnings[0]
	if w.Rule != "MaintainerDeprecated" || w.StartLine != 3 || w.EndLine != 3 || w.URL == "" {
		t.Errorf("got %+v", w)
	}
	if !report.UnknownBases {
		t.Error("nobody knows alpine here")
	}
}

func TestIgnoreFileIsRead(t *testing.T) {
	fc := facts.Context{Ignored: []byte("secret\n")}
	report := lint(t, "FROM scratch\nCOPY secret /\n", fc)
	if len(report.Warnings) != 1 || report.Warnings[0].Rule != "CopyIgnoredFile" {
		t.Errorf("got %+v", report.Warnings)
	}
}

func TestRefusal(t *testing.T) {
	r := lint(t, "FROM alpine AS a\nCOPY --from=b /x /\nFROM a AS b\n", facts.Context{})
	if r.Refusal == nil || !strings.Contains(r.Refusal.Message, "defined before") {
		t.Errorf("a stage that comes later: %+v", r.Refusal)
	}
	if r := lint(t, "ARG BASE\nFROM $BASE\nRUN x\n", facts.Context{}); r.Refusal != nil {
		t.Errorf("the build may pass BASE: %+v", r.Refusal)
	}
}

// TestCorpus holds the converter, which was written for well-formed builds, to
// not taking the process down.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("IMGMGR_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "examples")
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(d.Name(), "Dockerfile") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		if _, err := buildkit.Lint(context.Background(), path, src, facts.Context{}); err != nil {
			t.Error(err)
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files read: %v", files, err)
	}
}
