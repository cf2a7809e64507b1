// Command lint measures the linter: files per CPU second over a folder of
// Dockerfiles beside BuildKit's own checks, peak memory, findings per rule, and
// what judging a large build context costs beside walking it.
//
//	go run ./integration/bench/lint [-rounds N] [FOLDER]
//
// Each figure comes from a process of its own, by what the kernel accounts to
// it, without what a process costs that does nothing.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/imgmgr/imgmgr/lint/buildkit"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/rules"
	"github.com/imgmgr/imgmgr/plugin/lint"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

func main() {
	work := flag.String("work", "", "do this work, in a process that is measured: nothing, imgmgr, buildkit, walk or judge")
	rounds := flag.Int("rounds", 3, "go over the folder so many times")
	files := flag.Int("files", 100_000, "files of the large build context")
	flag.Parse()
	dir := flag.Arg(0)
	if dir == "" {
		dir = os.Getenv("IMGMGR_CORPUS")
	}
	if dir == "" {
		dir = "examples"
	}
	var err error
	if *work != "" {
		err = do(*work, dir, *rounds)
	} else {
		err = bench(os.Stdout, dir, *rounds, *files)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "make bench:", err)
		os.Exit(2)
	}
}

// do is what a measured process does; imgmgr and judge print the JSON report of
// the last round.
func do(work, dir string, rounds int) error {
	ctx := context.Background()
	for round := range rounds {
		var err error
		switch work {
		case "nothing":
		case "imgmgr", "judge":
			err = imgmgr(ctx, dir, round == rounds-1)
		case "buildkit":
			err = bare(ctx, dir)
		case "walk":
			err = walk(dir)
		default:
			err = fmt.Errorf("there is no work %q", work)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// imgmgr is `docker imgmgr lint --format json`, with the default rules and
// without a network.
func imgmgr(ctx context.Context, dir string, print bool) error {
	out := ui.Output{Writer: os.Stdout}
	if !print {
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer null.Close()
		out.Writer = null
	}
	err := lint.Run(ctx, ui.Streams{In: os.Stdin, Out: out, Err: ui.Output{Writer: os.Stderr}},
		lint.Options{Paths: []string{dir}, Format: "json", Rules: rules.All})
	if _, found := errors.AsType[*ui.Exit](err); found {
		return nil
	}
	return err
}

// bare are BuildKit's checks of the same files, one after the other.
func bare(ctx context.Context, dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// What it can't parse costs its time, too.
		_, _ = buildkit.Lint(ctx, path, src, facts.Context{})
		return nil
	})
}

// walk looks at every file below a folder as a build does: its name and what
// stat says of it.
func walk(dir string) error {
	return filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		_, err = d.Info()
		return err
	})
}

// report is what the benchmark reads of the JSON report.
type report struct {
	Files []struct {
		Findings []struct{ Rule string }
		Errors   []struct{ Message string }
	}
}

func parse(text []byte) (r report, err error) {
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("read the report: %w", err)
	}
	return r, nil
}
