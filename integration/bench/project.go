//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// project is one Dockerfile with its sources. Its files are those of From, a
// folder of the checkout, and above them those of testdata/NAME. There is
// Dockerfile.expert: the Dockerfile as somebody would write it who knows
// BuildKit well, for the same image.
type project struct {
	Name  string
	Title string // what a reader knows it by
	From  string
	// Source and Manifest are how these are edited for the scenarios of that
	// name. Control says that there is nothing to gain.
	Source, Manifest edit
	Control          bool
}

// edit replaces Old, which the file holds, by New with a token for its %s, so
// that no two edits are alike.
type edit struct{ File, Old, New string }

// projects are all that are measured.
func projects() []project {
	goMain := edit{"cmd/service/main.go", `"hello"`, `"hello %s"`}
	goMod := edit{"go.mod", "go 1.26.0", "go 1.26.0 // %s"}
	server := edit{"server.js", `status: "ok"`, `status: "ok %s"`}
	npm := edit{"package.json", `"private": true`, `"private": true, "keywords": ["%s"]`}
	const service, node = "examples/go-service", "examples/node-api"
	return []project{
		{Name: "go-add-first", Title: "Go, `ADD . .` before apt and `go build`", From: service, Source: goMain, Manifest: goMod},
		{Name: "go-copy-first", Title: "Go, `COPY . .` before `go mod download`", From: service, Source: goMain, Manifest: goMod},
		{Name: "go-ordered", Title: "Go, well ordered, no cache mounts", From: service, Source: goMain, Manifest: goMod},
		{Name: "go-make", Title: "Go behind `make`", From: service, Source: goMain, Manifest: goMod},
		{Name: "node-go", Title: "Node and Go in one file", From: service, Source: goMain, Manifest: goMod},
		{Name: "node-copy-first", Title: "Node, `COPY . .` before `npm ci`", From: node, Source: server, Manifest: npm},
		{Name: "node-late-packages", Title: "Node, `COPY . .` before apt and `npm ci`", From: "integration/testdata/late-packages", Source: server, Manifest: npm},
		{Name: "node-ordered", Title: "Node, well ordered, no cache mounts", From: node, Source: server, Manifest: npm},
		{Name: "pnpm-web", Title: "Node, `COPY . .` before `pnpm install`", From: "integration/testdata/pnpm-web",
			Source: edit{"server.js", `"ok"`, `"ok %s"`}, Manifest: npm},
		{Name: "c-make", Title: "C, `COPY . .` before apt and `make`",
			Source: edit{"src/main.c", "most frequent first", "most frequent first: %s"}, Manifest: edit{"Makefile", "-O2", "-O2 -DMADE=%s"}},
		{Name: "go-cached", Title: "Go as an expert writes it (control)", From: service, Source: goMain, Manifest: goMod, Control: true},
	}
}

// lay puts the project's files into dir, with its Dockerfile, or the expert's
// in that place.
func (p project) lay(dir string, expert bool) error {
	own := filepath.Join("integration", "bench", "testdata", p.Name)
	for _, from := range []string{p.From, own} {
		if from == "" {
			continue
		}
		if err := overlay(dir, from); err != nil {
			return fmt.Errorf("copy %s (run this from the repository's folder): %w", p.Name, err)
		}
	}
	theirs := filepath.Join(dir, "Dockerfile.expert")
	if expert {
		return os.Rename(theirs, filepath.Join(dir, "Dockerfile"))
	}
	return os.Remove(theirs)
}

// laid puts the files of one project into a new folder, which the caller removes.
func laid(name string) (p project, dir string, err error) {
	chosen, err := choose([]string{name})
	if err != nil {
		return p, "", err
	}
	if dir, err = os.MkdirTemp("", "imgmgr-bench-"); err != nil {
		return p, "", err
	}
	if err := chosen[0].lay(dir, false); err != nil {
		return p, "", errors.Join(err, os.RemoveAll(dir))
	}
	return chosen[0], dir, nil
}

// overlay copies the tree at from into dir, over what is there.
func overlay(dir, from string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o644)
	})
}

// make makes the edit in dir. It starts from what before says the file was.
func (e edit) make(dir, token string, before map[string][]byte) error {
	path := filepath.Join(dir, e.File)
	if before[path] == nil {
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("edit %s: %w", e.File, err)
		}
		before[path] = text
	}
	if !bytes.Contains(before[path], []byte(e.Old)) {
		return fmt.Errorf("edit %s: it does not hold %q", e.File, e.Old)
	}
	text := bytes.Replace(before[path], []byte(e.Old), fmt.Appendf(nil, e.New, token), 1)
	return os.WriteFile(path, text, 0o644)
}

// appendLabel is an edit at the Dockerfile's end.
func appendLabel(dir, token string) error {
	f, err := os.OpenFile(filepath.Join(dir, "Dockerfile"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f, "LABEL org.opencontainers.image.version=%q\n", token); err != nil {
		return err
	}
	return f.Close()
}
