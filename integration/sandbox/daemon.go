//go:build linux

package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopGrace is how long a daemon may take to end after it was asked to.
const stopGrace = 15 * time.Second

// daemon is a process in PID and mount namespaces of its own. It is PID 1
// there, so with it go all its containers, and with the last of them every
// mount that was made. The process that holds the namespaces open dies with
// this one (parent-death signal) and takes the daemon along.
type daemon struct {
	name    string
	logPath string
	holder  *os.Process   // unshare, the parent of the daemon
	done    chan struct{} // closed when holder has ended
}

// startDaemon starts command, with its output in the run folder, and puts
// it into the control group first when there is one. It does not wait for
// readiness; see ready.
func (sb *Sandbox) startDaemon(name string, env []string, command ...string) (*daemon, error) {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w: install util-linux", name, err)
	}
	d := &daemon{name: name, logPath: filepath.Join(sb.run, name+".log"), done: make(chan struct{})}
	out, err := os.Create(d.logPath)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	defer out.Close()
	args := []string{"--mount", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL", "--"}
	// The shell enters the control group before there is anything to count.
	args = append(args, "sh", "-c", sb.cgroup.enterScript()+`exec "$@"`, "sh")
	cmd := exec.Command(unshare, append(args, command...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The parent-death signal is sent when the thread ends that started the
		// process, so that thread has to live as long as the process does.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait() // how it ended is in its log
			close(d.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	d.holder = cmd.Process
	sb.mu.Lock()
	defer sb.mu.Unlock()
	sb.daemons = append(sb.daemons, d)
	return d, nil
}

// ready polls until probe succeeds and fails when the daemon ends first.
func (d *daemon) ready(ctx context.Context, limit time.Duration, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := probe(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-d.done:
			return fmt.Errorf("%s ended before it was ready; the end of its log:\n%s", d.name, d.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; the end of its log:\n%s", d.name, err, d.tail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ended reports whether the daemon runs no more.
func (d *daemon) ended() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// runs reports whether a daemon of this name is running.
func (sb *Sandbox) runs(name string) bool {
	sb.mu.Lock()
	defer sb.mu.Unlock()
	return slices.ContainsFunc(sb.daemons, func(d *daemon) bool { return d.name == name && !d.ended() })
}

// stop asks the daemon to end and, after a while, makes it end.
func (d *daemon) stop() error {
	if pid := d.child(); pid > 0 {
		syscall.Kill(pid, syscall.SIGTERM)
	} else {
		d.holder.Kill()
	}
	select {
	case <-d.done:
		return nil
	case <-time.After(stopGrace):
	}
	if err := d.holder.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", d.name, err)
	}
	<-d.done
	return nil
}

// child is the daemon's process id as this process sees it, 0 when it ended.
func (d *daemon) child() int {
	pid := strconv.Itoa(d.holder.Pid)
	children, err := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(children)), " ")
	child, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return child
}

// tail is the end of the daemon's log, for an error message.
func (d *daemon) tail() string {
	log, err := os.ReadFile(d.logPath)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-20):], []byte("\n")))
}

// freePort returns a loopback port that is free now: wanted if it is.
func freePort(wanted string) (string, error) {
	for _, port := range []string{wanted, "0"} {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			continue
		}
		defer l.Close()
		_, free, err := net.SplitHostPort(l.Addr().String())
		return free, err
	}
	return "", errors.New("no free port on 127.0.0.1: is the loopback interface up?")
}
