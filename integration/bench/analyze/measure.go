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
	"runtime"
	"syscall"
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
	if err := cmd.Run(); err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", cmd, err, stderr.Bytes())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return cost{
		wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		memory: usage.Maxrss << 10, // Linux counts in KiB
	}, nil
}

// least runs programs in turn, several times, and returns the least that each took.
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
			out[i] = cost{min(out[i].wall, c.wall), min(out[i].cpu, c.cpu), min(out[i].memory, c.memory)}
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
