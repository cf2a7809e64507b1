//go:build linux

// Package process runs programs and says what they took.
package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// Cost is what a process took.
type Cost struct {
	Wall, CPU time.Duration // CPU is user and system time, of those it waited for too
	Memory    int64         // bytes of the process alone, at most
}

// Run runs a program to its end. The error has what it said on standard error, unless
// that goes elsewhere.
func Run(cmd *exec.Cmd) (Cost, error) {
	var stderr bytes.Buffer
	if cmd.Stderr == nil {
		cmd.Stderr = &stderr
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return Cost{}, err
	}
	most := make(chan int64, 1)
	go func() { most <- peak(cmd.Process.Pid) }()
	err := cmd.Wait()
	c := Cost{time.Since(start), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), <-most}
	if err != nil {
		return Cost{}, fmt.Errorf("%s: %w\n%s", cmd, err, stderr.Bytes())
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
