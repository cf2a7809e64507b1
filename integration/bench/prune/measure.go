//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/imgmgr/imgmgr/integration/bench/process"
)

// prune runs the plugin to a plan, with a home of its own, and returns the file that the
// plan is in: read through a pipe, a plan of a million tags would cost twice.
func (b *bench) prune(home string, env []string, args ...string) (c process.Cost, plan string, err error) {
	cmd := exec.CommandContext(b.ctx, b.plugin, append([]string{"prune", "--dry-run", "--format", "json"}, args...)...)
	home = filepath.Join(b.dir, home)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CACHE_HOME="+home, "XDG_STATE_HOME="+home, "DOCKER_CONFIG="+home)
	cmd.Env = append(cmd.Env, env...)
	plan = filepath.Join(b.dir, "plan.json")
	stdout, err := os.Create(plan)
	if err != nil {
		return process.Cost{}, "", err
	}
	defer stdout.Close()
	cmd.Stdout = stdout
	if c, err = process.Run(cmd); err != nil {
		return process.Cost{}, "", err
	}
	return c, plan, nil
}

var taken = regexp.MustCompile(`"taken": "[^"]*"`)

// plan plans for a registry. What is returned is the plan without its time.
func (b *bench) plan(place, home string, workers int) (process.Cost, string, error) {
	c, plan, err := b.prune(home, nil, "--policy", b.policy, "--registry", place, "--jobs", strconv.Itoa(workers))
	if err != nil {
		return process.Cost{}, "", err
	}
	text, err := os.ReadFile(plan)
	return c, taken.ReplaceAllString(string(text), ""), err
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }
