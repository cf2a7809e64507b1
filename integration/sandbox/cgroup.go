//go:build linux

package sandbox

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const cgroupMount = "/sys/fs/cgroup"

// cgroup counts the CPU time of the daemons and of the containers they run:
// on a shared machine wall time alone says little. Daemons live in "daemon",
// containers in "build", because version 2 allows no processes in a group
// that has groups.
//
// Where control groups can't be written, it counts nothing and costs nothing.
type cgroup struct {
	name string // of the folder below each mount
	dir  string // the folder that counts; empty when there is none
}

// newCgroup creates the group of that name.
func newCgroup(name string) *cgroup {
	c := &cgroup{name: name}
	for _, mount := range []string{cgroupMount, cgroupMount + "/cpuacct", cgroupMount + "/cpu,cpuacct"} {
		dir := filepath.Join(mount, name)
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		c.dir = dir
		if _, err := c.cpu(); err == nil && os.Mkdir(filepath.Join(dir, "daemon"), 0o755) == nil {
			return c
		}
		os.Remove(dir)
		c.dir = ""
	}
	return c
}

// enterScript is the shell text that moves its shell into the group.
func (c *cgroup) enterScript() string {
	if c.dir == "" {
		return ""
	}
	return fmt.Sprintf("echo 0 >'%s/daemon/cgroup.procs'; ", c.dir)
}

// parent is the group to run containers in, as runc wants to be told.
func (c *cgroup) parent() string { return "/" + c.name + "/build" }

// cpu is the CPU time used so far by everything in the group. Groups that
// have ended since still count.
func (c *cgroup) cpu() (time.Duration, error) {
	if usage, err := os.ReadFile(filepath.Join(c.dir, "cpuacct.usage")); err == nil {
		ns, err := strconv.ParseInt(strings.TrimSpace(string(usage)), 10, 64)
		return time.Duration(ns), err
	}
	stat, err := os.ReadFile(filepath.Join(c.dir, "cpu.stat"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(stat)) {
		if us, ok := strings.CutPrefix(line, "usage_usec "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(us), 10, 64)
			return time.Duration(n) * time.Microsecond, err
		}
	}
	return 0, fmt.Errorf("%s/cpu.stat has no usage_usec", c.dir)
}

// remove deletes the group in every hierarchy; runc created the others.
func (c *cgroup) remove() {
	mounts := []string{cgroupMount}
	entries, _ := os.ReadDir(cgroupMount)
	for _, e := range entries {
		if e.IsDir() {
			mounts = append(mounts, filepath.Join(cgroupMount, e.Name()))
		}
	}
	for _, mount := range mounts {
		var dirs []string
		filepath.WalkDir(filepath.Join(mount, c.name), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		for i := len(dirs) - 1; i >= 0; i-- {
			os.Remove(dirs[i])
		}
	}
}
