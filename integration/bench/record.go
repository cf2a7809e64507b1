//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// store keeps records in a file, a line each, so that a run that was cut short
// loses one round of one project at most.
type store struct {
	path    string
	records []record
}

// openStore opens the file in dir for the code as it is now: other code, other
// figures.
func openStore(dir string) (*store, error) {
	key, err := codeKey()
	if err != nil {
		return nil, fmt.Errorf("find out what is measured (run this from the repository's folder): %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s := &store{path: filepath.Join(dir, key+".jsonl")}
	text, err := os.ReadFile(s.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for line := range bytes.Lines(text) {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("read %s (remove it to measure anew): %w", s.path, err)
		}
		s.records = append(s.records, r)
	}
	return s, nil
}

// has reports whether a round of a project was measured.
func (s *store) has(project string, round int) bool {
	for _, r := range s.records {
		if r.Project == project && r.Round == round {
			return true
		}
	}
	return false
}

// add keeps the records of one round, all or none.
func (s *store) add(records []record) error {
	var lines []byte
	for _, r := range records {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	f, err := os.OpenFile(s.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("keep what was measured: %w", err)
	}
	if _, err := f.Write(lines); err != nil {
		return fmt.Errorf("keep what was measured: %w", err)
	}
	s.records = append(s.records, records...)
	return f.Close()
}

// codeKey digests what decides the figures: the frontend, the rules, the
// projects, and how they are measured.
func codeKey() (string, error) {
	roots := []string{"go.sum", "frontend", "lint", "integration/bench/testdata", "integration/bench/project.go", "integration/bench/measure.go"}
	for _, p := range projects() {
		if p.From != "" {
			roots = append(roots, p.From)
		}
	}
	h := sha256.New()
	for _, root := range roots {
		err := filepath.WalkDir(filepath.FromSlash(root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".txtar") {
				return err
			}
			text, err := os.ReadFile(path)
			fmt.Fprintf(h, "%s %x\n", path, sha256.Sum256(text))
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}
