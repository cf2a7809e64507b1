//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// What is measured apart from the projects, by name.
const (
	noopExtra    = "no-op"
	contextExtra = "large-context"
	sbomExtra    = "sbom"
)

// armBuiltin is the frontend inside buildkitd: no image has to be started.
const armBuiltin = "built in"

// noopProjects are what no-ops are measured on: with one stage and with two,
// rewritten in several places and hardly at all.
func noopProjects() []string { return []string{"go-copy-first", "node-late-packages", "node-ordered"} }

// noop measures builds in which nothing changed, many times and in turn: what
// is compared are tenths of seconds. Nothing is exported, so all of it is what
// the frontends do.
func (b *bench) noop(ctx context.Context) ([]record, error) {
	const times = 15
	arms := append(b.arms()[:3:3], arm{name: armBuiltin})
	var records []record
	for _, name := range noopProjects() {
		_, dir, err := laid(name)
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		for i := range 1 + times {
			for _, a := range arms {
				res, err := b.sb.Build(ctx, sandbox.BuildRequest{Context: dir, Frontend: a.frontend, BuildArgs: a.args})
				if err != nil {
					return nil, err
				}
				if i > 0 { // the first one builds
					records = append(records, record{Arm: a.name, Scenario: name, Wall: res.Wall.Seconds(), CPU: res.CPU.Seconds(), Sent: res.ContextBytes})
				}
			}
		}
	}
	return records, nil
}

// context measures what is sent of a context of 1 GB, first and after an edit:
// the facts that our frontend asks for must not send it twice.
func (b *bench) context(ctx context.Context) ([]record, error) {
	var records []record
	for _, a := range b.arms()[:2] {
		measured, err := b.largeContext(ctx, a)
		if err != nil {
			return nil, err
		}
		records = append(records, measured...)
	}
	return records, nil
}

func (b *bench) largeContext(ctx context.Context, a arm) ([]record, error) {
	p, dir, err := laid("node-copy-first")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := fill(filepath.Join(dir, "assets"), 128, 8<<20); err != nil {
		return nil, fmt.Errorf("make a context of 1 GB: %w", err)
	}
	var records []record
	before := map[string][]byte{}
	for i, scenario := range []string{cold, unchanged, source} {
		if scenario == source {
			if err := p.Source.make(dir, a.name+strconv.Itoa(i), before); err != nil {
				return nil, err
			}
		}
		res, err := b.sb.Build(ctx, sandbox.BuildRequest{Context: dir, Frontend: a.frontend, BuildArgs: a.args})
		if err != nil {
			return nil, err
		}
		records = append(records, record{Arm: a.name, Scenario: scenario, Wall: res.Wall.Seconds(), CPU: res.CPU.Seconds(), Sent: res.ContextBytes})
	}
	return records, nil
}

// fill makes count files of size random bytes, a multiple of 8, in dir.
func fill(dir string, count, size int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	random := rand.NewPCG(1, 2)
	data := make([]byte, size)
	for i := range count {
		for at := 0; at < size; at += 8 {
			n := random.Uint64()
			for k := range 8 {
				data[at+k] = byte(n >> (8 * k))
			}
		}
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
