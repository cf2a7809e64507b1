//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imgmgr/imgmgr/plugin/image"
)

// cost is what a process took.
type cost struct {
	wall, cpu time.Duration
	memory    int64 // bytes, at most
}

// run runs a program to its end.
func run(ctx context.Context, args []string, env ...string) (cost, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return cost{}, err
	}
	most := make(chan int64, 1)
	go func() { most <- peak(cmd.Process.Pid) }()
	err := cmd.Wait()
	c := cost{time.Since(start), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), <-most}
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", cmd, err, stderr.Bytes())
	}
	return c, nil
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peak looks at a process until it ends, and returns the most memory that it had, in
// bytes. What wait4 says is no use: it counts what the parent had at the time of fork.
func peak(pid int) (bytes int64) {
	for {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		m := highWater.FindSubmatch(text)
		if err != nil || m == nil { // it has ended
			return bytes
		}
		if n, err := strconv.ParseInt(string(m[1]), 10, 64); err == nil {
			bytes = max(bytes, n<<10)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// least runs programs in turn, several times, and returns the least time that each took,
// and the most memory.
func (b *bench) least(commands ...[]string) ([]cost, error) {
	out := make([]cost, len(commands))
	for round := range b.runs {
		for i, args := range commands {
			c, err := run(b.ctx, args)
			if err != nil {
				return nil, err
			}
			if round == 0 {
				out[i] = c
			}
			out[i] = cost{min(out[i].wall, c.wall), min(out[i].cpu, c.cpu), max(out[i].memory, c.memory)}
		}
	}
	return out, nil
}

// inflate inflates layers side by side.
func inflate(paths []string) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, path := range paths {
		group.Go(func() error {
			file, err := os.Open(path)
			if err != nil {
				return err
			}
			defer file.Close()
			plain, err := image.Decompress(bufio.NewReaderSize(file, 256<<10))
			if err != nil {
				return err
			}
			defer plain.Close()
			_, err = io.Copy(io.Discard, plain)
			return err
		})
	}
	return group.Wait()
}
