package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/imgmgr/imgmgr/integration/bench/process"
)

// measure runs this program as a process that does some work, and returns what it
// printed.
func measure(work, dir string, rounds int) (process.Cost, []byte, error) {
	self, err := os.Executable()
	if err != nil {
		return process.Cost{}, nil, err
	}
	cmd := exec.Command(self, "-work", work, "-rounds", strconv.Itoa(rounds), dir)
	var out bytes.Buffer
	cmd.Stdout = &out
	c, err := process.Run(cmd)
	if err != nil {
		return process.Cost{}, nil, fmt.Errorf("measure %s: %w", work, err)
	}
	return c, out.Bytes(), nil
}

func bench(w io.Writer, dir string, rounds, files int) error {
	if err := throughput(w, dir, rounds); err != nil {
		return err
	}
	return largeContext(w, files)
}

func throughput(w io.Writer, dir string, rounds int) error {
	nothing, _, err := measure("nothing", dir, 1)
	if err != nil {
		return err
	}
	once, out, err := measure("imgmgr", dir, 1)
	if err != nil {
		return err
	}
	ours, theirs, err := compare(dir, rounds)
	if err != nil {
		return err
	}
	r, err := parse(out)
	if err != nil {
		return err
	}
	speed := func(c process.Cost) float64 { return float64(len(r.Files)*rounds) / (c.CPU - nothing.CPU).Seconds() }
	fmt.Fprintf(w, "%d files of %s, %d times\n\n", len(r.Files), dir, rounds)
	fmt.Fprintf(w, "%-28s %8.0f files per CPU second\n", "imgmgr, every default rule", speed(ours))
	fmt.Fprintf(w, "%-28s %8.0f files per CPU second\n", "BuildKit's checks alone", speed(theirs))
	fmt.Fprintf(w, "%-28s %8.2f of BuildKit's speed\n", "", speed(ours)/speed(theirs))
	fmt.Fprintf(w, "%-28s %8.0f MiB at most (%.0f MiB of a process that does nothing)\n\n", "imgmgr, all files at once", mib(once.Memory), mib(nothing.Memory))
	findings(w, r)
	return nil
}

// compare measures our checks and BuildKit's in turns, and takes the best of
// each: what else the machine does can only slow one down.
func compare(dir string, rounds int) (ours, theirs process.Cost, err error) {
	for turn := range 5 {
		for work, best := range map[string]*process.Cost{"imgmgr": &ours, "buildkit": &theirs} {
			c, _, err := measure(work, dir, rounds)
			if err != nil {
				return ours, theirs, err
			}
			if turn == 0 || c.CPU < best.CPU {
				*best = c
			}
		}
	}
	return ours, theirs, nil
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// findings prints how often each rule speaks.
func findings(w io.Writer, r report) {
	counts, failed, all := map[string]int{}, 0, 0
	for _, f := range r.Files {
		for _, d := range f.Findings {
			counts[d.Rule]++
			all++
		}
		if len(f.Errors) > 0 {
			failed++
		}
	}
	fmt.Fprintf(w, "%d findings; %d files could not be checked, whole or in part\n\n", all, failed)
	byCount := func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) }
	for _, rule := range slices.SortedFunc(maps.Keys(counts), byCount) {
		fmt.Fprintf(w, "%6d %s\n", counts[rule], rule)
	}
}

// contextBytes is the size of the large build context. Its files have holes, so
// that it takes no room on the disk.
const contextBytes = 1 << 30

// largeContext compares judging a Dockerfile that copies a large build context
// with walking that.
func largeContext(w io.Writer, files int) error {
	dir, err := os.MkdirTemp("", "imgmgr-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := fill(dir, files); err != nil {
		return fmt.Errorf("make a build context: %w", err)
	}
	if _, _, err := measure("walk", dir, 1); err != nil { // so that both find the same in the page cache
		return err
	}
	nothing, _, err := measure("nothing", dir, 1)
	if err != nil {
		return err
	}
	walked, _, err := measure("walk", dir, 3)
	if err != nil {
		return err
	}
	judged, _, err := measure("judge", filepath.Join(dir, "Dockerfile"), 3)
	if err != nil {
		return err
	}
	took := func(c process.Cost) (wall, cpu float64) {
		return (c.Wall - nothing.Wall).Seconds() / 3, (c.CPU - nothing.CPU).Seconds() / 3
	}
	walkWall, walkCPU := took(walked)
	judgeWall, judgeCPU := took(judged)
	fmt.Fprintf(w, "\na build context of %d MiB in %d files\n\n", contextBytes>>20, files)
	fmt.Fprintf(w, "%-28s %6.2f s, %6.2f CPU seconds\n", "walking it", walkWall, walkCPU)
	fmt.Fprintf(w, "%-28s %6.2f s, %6.2f CPU seconds, %.0f MiB at most\n", "judging its Dockerfile", judgeWall, judgeCPU, mib(judged.Memory))
	fmt.Fprintf(w, "%-28s %6.2f times as long\n", "", judgeWall/walkWall)
	return nil
}

// fill makes a project whose Dockerfile copies all of it.
func fill(dir string, files int) error {
	const dockerfile = "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci && npm run build\nUSER node\nCMD [\"node\", \"dist/main.js\"]\n"
	for name, text := range map[string]string{
		"Dockerfile": dockerfile, ".dockerignore": "node_modules\n**/*.log\n!keep.log\n", "package.json": "{}\n", "package-lock.json": "{}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	for i := range files {
		sub := filepath.Join(dir, "src", fmt.Sprintf("part%03d", i/1000), fmt.Sprintf("unit%02d", i/50%20))
		if i%50 == 0 {
			if err := os.MkdirAll(sub, 0o777); err != nil {
				return err
			}
		}
		name := filepath.Join(sub, fmt.Sprintf("module%05d.ts", i))
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			return err
		}
		if err := os.Truncate(name, int64(contextBytes/files)); err != nil {
			return err
		}
	}
	return nil
}
