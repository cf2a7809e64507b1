package lint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imgmgr/imgmgr/lint/facts"
)

const (
	// commitsRead is how many commits are read: enough to tell what changes with
	// every one from what doesn't, and some milliseconds of work.
	commitsRead = 100
	// gitTime bounds git, which is quick but where the disk isn't.
	gitTime = 3 * time.Second
)

// History asks git what changed in folders, each once, and only where a rule
// asks.
type History struct {
	mu      sync.Mutex
	folders map[string]func() ([][]string, error)
}

// NewHistory has asked nothing yet.
func NewHistory() *History { return &History{folders: map[string]func() ([][]string, error){}} }

// of is the history of one folder.
func (h *History) of(dir string) facts.Churn { return folderHistory{h, dir} }

// Failed says why the history of folders isn't known, by folder.
func (h *History) Failed() map[string]error {
	h.mu.Lock()
	defer h.mu.Unlock()
	failed := map[string]error{}
	for dir, read := range h.folders {
		if _, err := read(); err != nil {
			failed[dir] = err
		}
	}
	return failed
}

// Forget lets go of what git said, so that a long session asks again.
func (h *History) Forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.folders)
}

type folderHistory struct {
	all *History
	dir string
}

// Commits is facts.Churn.
func (f folderHistory) Commits(ctx context.Context) ([][]string, error) {
	f.all.mu.Lock()
	read, ok := f.all.folders[f.dir]
	if !ok {
		// Other files of the folder wait for the answer, and have it, too: it
		// must not end with this one's context.
		ctx = context.WithoutCancel(ctx)
		read = sync.OnceValues(func() ([][]string, error) { return commits(ctx, f.dir) })
		f.all.folders[f.dir] = read
	}
	f.all.mu.Unlock()
	return read()
}

// commits reads the newest commits that changed a folder.
func commits(ctx context.Context, dir string) ([][]string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitTime)
	defer cancel()
	shallow, err := git(ctx, dir, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(shallow) == "true" {
		return nil, fmt.Errorf("git has the newest commits only: %w; fetch them all", facts.ErrUnknown)
	}
	const mark = "\x01" // as %x01 in the format
	log, err := git(ctx, dir, "log", "-n", strconv.Itoa(commitsRead), "--format=%x01", "--name-only", "--no-renames", "--relative", "--", ".")
	if err != nil {
		return nil, err
	}
	var all [][]string
	for commit := range strings.SplitSeq(log, mark) {
		if names := strings.FieldsFunc(commit, func(r rune) bool { return r == '\n' }); len(names) > 0 {
			all = append(all, names)
		}
	}
	return all, nil
}

// git runs a command that only reads. What a repository's own configuration
// could have it start is turned off.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{
		"-C", dir, "--no-pager", "-c", "core.quotePath=false", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false",
	}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case err == nil:
		return string(out), nil
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("git isn't installed: %w", facts.ErrUnknown)
	case ctx.Err() != nil:
		return "", fmt.Errorf("git took more than %s: %w", gitTime, facts.ErrUnknown)
	}
	why, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
	return "", fmt.Errorf("git says %q: %w", why, facts.ErrUnknown)
}
