//go:build linux

package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/imgmgr/imgmgr/integration/bench/process"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// least runs programs in turn, several times, and returns the least time that each took,
// and the most memory.
func (b *bench) least(commands ...[]string) ([]process.Cost, error) {
	out := make([]process.Cost, len(commands))
	for round := range b.runs {
		for i, args := range commands {
			c, err := process.Run(exec.CommandContext(b.ctx, args[0], args[1:]...))
			if err != nil {
				return nil, err
			}
			if round == 0 {
				out[i] = c
			}
			out[i] = process.Cost{Wall: min(out[i].Wall, c.Wall), CPU: min(out[i].CPU, c.CPU), Memory: max(out[i].Memory, c.Memory)}
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
