//go:build linux

// Command prune measures `docker imgmgr prune` at the scale of a company: a registry
// of 50 repositories with 200 tags each, a saved inventory of a million tags, and a
// Docker Engine with 2,000 images. It is what `make bench-prune` runs.
//
//	generate.go   the images of a repository, of a seed
//	storage.go    images as the folder of a registry
//	proxy.go      what stands before the registry: counts requests, or makes them slow
//	script.go     what people use instead: one request after the other
//	inventory.go  a million tags
//	engine.go     a Docker Engine full of images
//	measure.go    the plugin, run for a plan
//	main.go       the figures, each beside its aim
//
// Requests, CPU seconds and memory are figures that a busy machine leaves alone. Wall
// seconds are not: where they count, the server sleeps, and they are held against a
// script on the same server.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := bench{ctx: ctx, out: os.Stdout}
	flag.IntVar(&b.repositories, "repositories", 50, "seed so many repositories")
	flag.IntVar(&b.million, "tags", 1_000_000, "plan so many tags of a saved inventory; 0 plans none")
	flag.IntVar(&b.images, "images", 2_000, "load so many images into a Docker Engine; 0 starts none")
	flag.Parse()
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "make bench-prune:", err)
		os.Exit(2)
	}
}

type bench struct {
	ctx          context.Context
	out          io.Writer
	dir          string // in memory
	plugin       string
	policy       string
	repositories int
	million      int
	images       int
}

const policyText = `version: 1
limits: {share: 100%}
rules:
- {name: development, select: {label: {environment: development}}, max_age: 7d, max_count: 10, when: any}
- {name: staging, select: {label: {environment: staging}}, max_age: 30d, max_count: 50, when: any}
- {name: production, select: {label: {environment: production}}, max_age: 1y, max_count: 100, when: any, keep_latest: 3}
`

func (b *bench) run() (err error) {
	if b.dir, err = os.MkdirTemp("/dev/shm", "imgmgr-bench-"); err != nil {
		return fmt.Errorf("make a folder in memory: %w", err)
	}
	defer os.RemoveAll(b.dir)
	b.plugin, b.policy = filepath.Join(b.dir, "docker-imgmgr"), filepath.Join(b.dir, "imgmgr.prune.yaml")
	if err := os.WriteFile(b.policy, []byte(policyText), 0o600); err != nil {
		return err
	}
	build := exec.CommandContext(b.ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.plugin, "./cmd/docker-imgmgr")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the plugin, from the checkout's folder: %w\n%s", err, out)
	}
	sb, err := sandbox.Start(b.ctx, sandbox.Options{Log: os.Stderr})
	if err != nil {
		return err
	}
	defer sb.Close()
	if b.repositories > 0 {
		if err := b.registry(sb); err != nil {
			return err
		}
	}
	if b.million > 0 {
		if err := b.inventory(b.million); err != nil {
			return err
		}
	}
	if b.images > 0 {
		return b.engine(sb, b.images)
	}
	return nil
}

// registry measures plans of a whole registry.
func (b *bench) registry(sb *sandbox.Sandbox) error {
	storage := filepath.Join(b.dir, "registry")
	if err := seed(storage, b.repositories); err != nil {
		return fmt.Errorf("seed the registry: %w", err)
	}
	host, err := sb.NewRegistry(b.ctx, storage)
	if err != nil {
		return err
	}
	front, err := newProxy(host)
	if err != nil {
		return err
	}
	defer front.close()

	cold, plan, err := b.plan(front.host, "cache", 16)
	if err != nil {
		return err
	}
	count := front.take()
	fmt.Fprintf(b.out, "registry, %d tags: %.2f requests per tag (aim 2.30), %d digests fetched twice (aim 0), %d requests that change something (aim 0); CPU %.1f s (aim 5.0), %.0f MiB in memory (aim 64)\n",
		count.tags(), count.perTag(), count.twice(), count.writes, cold.CPU.Seconds(), mebibytes(cold.Memory))
	warm, again, err := b.plan(front.host, "cache", 16)
	if err != nil {
		return err
	}
	count = front.take()
	fmt.Fprintf(b.out, "again, from the cache: %.3f requests per tag (aim 1.01 HEADs: %.3f); CPU %.1f s, %.0f MiB; the same plan: %t\n",
		count.perTag(), count.headsPerTag(), warm.CPU.Seconds(), mebibytes(warm.Memory), again == plan)
	for _, workers := range []int{1, 32} {
		_, other, err := b.plan(front.host, "cache-"+strconv.Itoa(workers), workers)
		if err != nil {
			return err
		}
		fmt.Fprintf(b.out, "the same plan with %d workers: %t\n", workers, other == plan)
	}
	front.take()
	return b.slow(front)
}

// slow measures workers against a script, on a server that takes its time.
func (b *bench) slow(front *proxy) error {
	front.delay(100 * time.Millisecond)
	defer front.delay(0)
	script, err := b.script(front.host, repositoryName(0), 60)
	if err != nil {
		return err
	}
	for _, aim := range []struct{ workers, times int }{{16, 12}, {32, 20}} {
		front.take()
		// Four repositories share a prefix: 800 tags, and some of signatures.
		c, _, err := b.plan(front.host+"/"+teamName(0), "slow-"+strconv.Itoa(aim.workers), aim.workers)
		if err != nil {
			return err
		}
		perTag := c.Wall / time.Duration(front.take().tags())
		fmt.Fprintf(b.out, "100 ms per request, %d workers: %.1f ms per tag, the script %.0f: %.1f times as fast (aim %d)\n",
			aim.workers, milliseconds(perTag), milliseconds(script), script.Seconds()/perTag.Seconds(), aim.times)
	}
	return nil
}
