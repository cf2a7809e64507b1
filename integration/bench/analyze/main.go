//go:build linux

// Command analyze measures `docker imgmgr analyze` on images that a seeded program
// makes, against what can't be done without: inflating the layers. It is what
// `make bench-analyze` runs.
//
//	generate.go  what is in an image
//	store.go     an image as an OCI layout, and as docker save writes it
//	measure.go   programs in turn, and what inflating alone costs
//	main.go      the figures, each beside its aim
//
// On a busy machine wall seconds say little, and CPU seconds somewhat: each
// measurement is repeated, in turn with what it is held against, and the least
// counts.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/imgmgr/imgmgr/integration/bench/process"
)

// The images. The first one takes 1 GB in a registry.
var (
	usual = shape{"1 GB, 100,000 files", 2_350_000_000, 22, 100_000, 3_000, 250}
	many  = shape{"1,000,000 files", 1_000_000_000, 22, 1_000_000, 3_000, 250}
	huge  = shape{"10 GB, 100,000 files", 23_500_000_000, 22, 100_000, 3_000, 250}
	// What dive can finish: it stacks all layers below anew for each whiteout.
	small      = shape{"600 MB, 4 whiteouts", 600_000_000, 17, 25_000, 4, 0}
	deleting   = shape{"600 MB, 1,000 whiteouts", 600_000_000, 17, 25_000, 1_000, 0}
	deletingOn = shape{"600 MB, 10,000 whiteouts", 600_000_000, 17, 25_000, 10_000, 0}
)

// inflateFlag makes the program inflate layers and do nothing else: what analyze is
// held against, in a process of its own.
const inflateFlag = "inflate"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := bench{ctx: ctx, out: os.Stdout}
	flag.StringVar(&b.dir, "dir", "", "make the images in this folder; they are deleted afterwards")
	flag.StringVar(&b.dive, "dive", "", "compare with this dive")
	flag.IntVar(&b.runs, "runs", 3, "measure so many times")
	only := flag.String("only", "", "measure these, instead of start,usual,many,archives; huge is an image of 10 GB")
	inflating := flag.Bool(inflateFlag, false, "inflate the files that are named, and do nothing else")
	flag.Parse()
	b.only = strings.Split(cmp.Or(*only, "start,usual,many,archives"), ",")
	var err error
	if *inflating {
		err = inflate(flag.Args())
	} else {
		err = b.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "make bench-analyze:", err)
		os.Exit(2)
	}
}

type bench struct {
	ctx    context.Context
	out    io.Writer
	dir    string
	dive   string // a program; "" compares with none
	runs   int
	only   []string
	plugin string
	pool   *pool
}

func (b *bench) run() (err error) {
	if b.dir != "" {
		if b.dir, err = filepath.Abs(b.dir); err != nil { // a cache folder has to be
			return err
		}
		if err := os.MkdirAll(b.dir, 0o755); err != nil {
			return err
		}
	}
	if b.dir, err = os.MkdirTemp(b.dir, "imgmgr-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	b.plugin, b.pool = filepath.Join(b.dir, "docker-imgmgr"), newPool()
	build := exec.CommandContext(b.ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.plugin, "./cmd/docker-imgmgr")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the plugin, from the checkout's folder: %w\n%s", err, out)
	}
	for _, part := range b.only {
		var err error
		switch part {
		case "start":
			err = b.start()
		case "usual":
			err = b.layout(usual, 100)
		case "many":
			err = b.layout(many, 400)
		case "huge":
			err = b.layout(huge, 100)
		case "archives":
			for _, s := range []shape{small, deleting, deletingOn} {
				err = errors.Join(err, b.archive(s))
			}
		default:
			err = fmt.Errorf("there is no measurement %q", part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// start measures what the plugin takes to do nothing.
func (b *bench) start() error {
	info, err := os.Stat(b.plugin)
	if err != nil {
		return err
	}
	cost, err := b.least([]string{b.plugin, "docker-cli-plugin-metadata"})
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "start: %.0f ms (aim 60), %.0f ms of CPU; %.0f MB (aim 80), %.0f MiB in memory\n",
		cost[0].Wall.Seconds()*1e3, cost[0].CPU.Seconds()*1e3, megabytes(info.Size()), mebibytes(cost[0].Memory))
	return nil
}

// layout measures an image with gzip layers, against inflating them.
func (b *bench) layout(s shape, memory int) error {
	dir := filepath.Join(b.dir, "layout")
	defer os.RemoveAll(dir)
	layers, err := layout(dir, s, b.pool)
	if err != nil {
		return fmt.Errorf("make the image: %w", err)
	}
	var bytes int64
	for _, l := range layers {
		info, err := os.Stat(l)
		if err != nil {
			return err
		}
		bytes += info.Size()
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	costs, err := b.least(b.analyze("oci:"+dir, "--no-cache"), append([]string{self, "-" + inflateFlag}, layers...))
	if err != nil {
		return err
	}
	ours, inflating := costs[0], costs[1]
	// The aims for time are about images whose files have the usual size.
	fmt.Fprintf(b.out, "%s (%.0f MB compressed): CPU %.2f s, %.2f of inflating (aim 1.10 but for tiny files); wall %.2f s, %.2f of inflating side by side (aim 1.30); %.0f MiB in memory (aim %d)\n",
		s.name, megabytes(bytes), ours.CPU.Seconds(), ours.CPU.Seconds()/inflating.CPU.Seconds(),
		ours.Wall.Seconds(), ours.Wall.Seconds()/inflating.Wall.Seconds(), mebibytes(ours.Memory), memory)
	return b.second(dir, s, ours)
}

// second measures an image on a base that was read before: of all layers but the
// last.
func (b *bench) second(dir string, s shape, whole process.Cost) error {
	if err := tagBase(dir); err != nil {
		return fmt.Errorf("make the base image: %w", err)
	}
	cache := filepath.Join(b.dir, "cache")
	defer os.RemoveAll(cache)
	var costs [2]process.Cost
	for i, tag := range []string{baseTag, appTag} {
		args := b.analyze("oci:" + dir + ":" + tag)
		cmd := exec.CommandContext(b.ctx, args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache)
		var err error
		if costs[i], err = process.Run(cmd); err != nil {
			return err
		}
	}
	fmt.Fprintf(b.out, "%s, on a base that was read before: CPU %.2f s, %.2f of reading all; its own layer is 1 of %d\n",
		s.name, costs[1].CPU.Seconds(), costs[1].CPU.Seconds()/whole.CPU.Seconds(), s.layers)
	return nil
}

// archive measures a plain archive, with and without looking into files, against
// dive.
func (b *bench) archive(s shape) error {
	path := filepath.Join(b.dir, "saved.tar")
	defer os.Remove(path)
	if err := archive(path, s, b.pool); err != nil {
		return fmt.Errorf("make the archive: %w", err)
	}
	commands := [][]string{b.analyze("archive:"+path, "--no-cache"), b.analyze("archive:"+path, "--no-cache", "--quick")}
	compared := b.dive != "" && s.whiteouts < 100
	if compared {
		commands = append(commands, []string{b.dive, "--source", "docker-archive", "--json", filepath.Join(b.dir, "dive.json"), path})
	}
	costs, err := b.least(commands...)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "archive, %s: CPU %.2f s, wall %.2f s; --quick: CPU %.2f s, wall %.2f s", s.name,
		costs[0].CPU.Seconds(), costs[0].Wall.Seconds(), costs[1].CPU.Seconds(), costs[1].Wall.Seconds())
	if compared {
		fmt.Fprintf(b.out, "; dive: CPU %.2f s, wall %.2f s: %.1f and %.1f times as much as --quick (aim 2)", costs[2].CPU.Seconds(), costs[2].Wall.Seconds(),
			costs[2].CPU.Seconds()/costs[1].CPU.Seconds(), costs[2].Wall.Seconds()/costs[1].Wall.Seconds())
	}
	fmt.Fprintln(b.out)
	return nil
}

// analyze is a command line of the plugin.
func (b *bench) analyze(args ...string) []string {
	return strings.Fields(b.plugin + " analyze --format json " + strings.Join(args, " "))
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }
