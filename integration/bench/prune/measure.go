//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// cost is what a process took.
type cost struct {
	wall, cpu time.Duration
	memory    int64 // bytes, at most
}

// prune runs the plugin to a plan, with a home of its own, and returns the file that the
// plan is in: read through a pipe, a plan of a million tags would cost twice.
func (b *bench) prune(home string, env []string, args ...string) (c cost, plan string, err error) {
	cmd := exec.CommandContext(b.ctx, b.plugin, append([]string{"prune", "--dry-run", "--format", "json"}, args...)...)
	home = filepath.Join(b.dir, home)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CACHE_HOME="+home, "XDG_STATE_HOME="+home, "DOCKER_CONFIG="+home)
	cmd.Env = append(cmd.Env, env...)
	plan = filepath.Join(b.dir, "plan.json")
	stdout, err := os.Create(plan)
	if err != nil {
		return cost{}, "", err
	}
	defer stdout.Close()
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return cost{}, "", err
	}
	most := make(chan int64, 1)
	go func() { most <- peak(cmd.Process.Pid) }()
	err = cmd.Wait()
	c = cost{time.Since(start), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), <-most}
	if err != nil {
		return cost{}, "", fmt.Errorf("%s: %w\n%s", cmd, err, stderr.Bytes())
	}
	return c, plan, nil
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
		time.Sleep(5 * time.Millisecond)
	}
}

var taken = regexp.MustCompile(`"taken": "[^"]*"`)

// plan plans for a registry. What is returned is the plan without its time.
func (b *bench) plan(place, home string, workers int) (cost, string, error) {
	c, plan, err := b.prune(home, nil, "--policy", b.policy, "--registry", place, "--jobs", strconv.Itoa(workers))
	if err != nil {
		return cost{}, "", err
	}
	text, err := os.ReadFile(plan)
	return c, taken.ReplaceAllString(string(text), ""), err
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }
