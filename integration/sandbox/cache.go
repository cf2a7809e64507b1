//go:build linux

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxSlots bounds how many sandboxes may run on one cache at a time.
const maxSlots = 64

// cacheFolder creates the cache and returns its absolute path. It ignores
// itself: a cache inside a checkout must never show up in `git status`.
func cacheFolder(option, module string) (string, error) {
	dir := option
	if dir == "" {
		dir = os.Getenv(CacheEnv)
	}
	if dir == "" {
		dir = filepath.Join(module, ".cache")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the cache folder: %w", err)
	}
	for _, sub := range []string{"tools", "seed", "slots"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return "", fmt.Errorf("creating the cache folder (set %s to choose another): %w", CacheEnv, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o644); err != nil {
		return "", fmt.Errorf("writing to the cache folder: %w", err)
	}
	return dir, nil
}

// lock takes the file lock at path and waits for it; the returned function
// gives it back. The kernel gives it back too when the process dies.
func lock(ctx context.Context, path string, log func(string, ...any)) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening a lock: %w", err)
	}
	for waited := false; ; waited = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		if !waited {
			log("waiting for another process that holds %s", path)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("waiting for the lock %s: %w", path, context.Cause(ctx))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// slot is the state of one running sandbox, kept for the next one.
type slot struct {
	n    int
	dir  string
	lock *os.File
}

// takeSlot takes the first slot that no living process holds.
func takeSlot(cache string) (*slot, error) {
	for n := range maxSlots {
		dir := filepath.Join(cache, "slots", strconv.Itoa(n))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("creating a slot: %w", err)
		}
		f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return nil, fmt.Errorf("opening a slot: %w", err)
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return &slot{n: n, dir: dir, lock: f}, nil
		}
		f.Close()
	}
	return nil, fmt.Errorf("all %d slots in %s are taken: stop some of the running sandboxes", maxSlots, cache)
}

// path is a folder or file of the slot.
func (s *slot) path(name string) string { return filepath.Join(s.dir, name) }

// empty removes folders of the slot. Nothing is mounted there: the daemons'
// mounts went with their namespaces.
func (s *slot) empty(names ...string) error {
	for _, name := range names {
		if err := os.RemoveAll(s.path(name)); err != nil {
			return fmt.Errorf("emptying slot %d: %w", s.n, err)
		}
	}
	return nil
}

// runFolder creates the folder for sockets. It is outside the cache because a
// socket's path has room for about a hundred bytes only. The folder of a
// process that was killed is found by the slot's note of it and removed.
func (s *slot) runFolder() (string, error) {
	s.removeRun()
	dir, err := os.MkdirTemp("", "imgmgr-")
	if err != nil {
		return "", fmt.Errorf("creating a folder for sockets: %w", err)
	}
	if err := os.WriteFile(s.path("run"), []byte(dir), 0o644); err != nil {
		return "", fmt.Errorf("writing to slot %d: %w", s.n, err)
	}
	return dir, nil
}

// removeRun removes the folder and the control group of the slot's last run.
func (s *slot) removeRun() {
	note, err := os.ReadFile(s.path("run"))
	if err != nil || !strings.HasPrefix(filepath.Base(string(note)), "imgmgr-") {
		return
	}
	(&cgroup{name: filepath.Base(string(note))}).remove()
	os.RemoveAll(string(note))
	os.Remove(s.path("run"))
}

func (s *slot) release() error {
	s.removeRun()
	return s.lock.Close()
}

// linkTree copies the tree at from to to with hard links. The registry never
// writes into an existing file, so one seed serves every slot.
func linkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		return os.Link(path, target)
	})
}
