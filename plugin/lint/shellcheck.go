package lint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// maxBatch bounds the scripts that one process reads: enough that its start
// costs nothing beside them, few enough that every processor gets some.
const maxBatch = 200

// maxKnown bounds the scripts that are remembered, for in an editor each key
// makes another one.
const maxKnown = 10_000

// ShellCheck runs the program ShellCheck. Scripts that are asked about while it
// runs go into the next process together, for its start costs as much as ten of
// them. A script is read once.
type ShellCheck struct {
	program string

	mu      sync.Mutex
	known   map[string]*verdict
	queue   []string // scripts that no process has yet
	running int      // processes
	failed  error    // of the first process that failed
}

// verdict is what ShellCheck says of one script, from when done is closed.
type verdict struct {
	done     chan struct{}
	finished bool
	remarks  []facts.ShellRemark
	err      error
}

// NewShellCheck finds the program by its name or path.
func NewShellCheck(program string) (*ShellCheck, error) {
	found, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("look for ShellCheck: %w", err)
	}
	return &ShellCheck{program: found, known: map[string]*verdict{}}, nil
}

// Failed is what went wrong with the program; nil if nothing did.
func (s *ShellCheck) Failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// ShellCheck is facts.ShellChecker.
func (s *ShellCheck) ShellCheck(ctx context.Context, scripts []string) ([][]facts.ShellRemark, error) {
	asked := s.ask(ctx, scripts)
	all := make([][]facts.ShellRemark, len(scripts))
	for i, v := range asked {
		select {
		case <-v.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if errors.Is(v.err, context.Canceled) && ctx.Err() == nil {
			return s.ShellCheck(ctx, scripts) // who started the process gave up
		}
		if v.err != nil {
			return nil, fmt.Errorf("%w: %w", facts.ErrUnknown, v.err)
		}
		all[i] = v.remarks
	}
	return all, nil
}

// ask queues what isn't known yet, and starts a process unless all processors
// have one.
func (s *ShellCheck) ask(ctx context.Context, scripts []string) []*verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) > maxKnown {
		maps.DeleteFunc(s.known, func(_ string, v *verdict) bool { return v.finished })
	}
	asked := make([]*verdict, len(scripts))
	for i, script := range scripts {
		if s.known[script] == nil {
			s.known[script] = &verdict{done: make(chan struct{})}
			s.queue = append(s.queue, script)
		}
		asked[i] = s.known[script]
	}
	if len(s.queue) > 0 && s.running < runtime.GOMAXPROCS(0) {
		s.running++
		go s.work(ctx)
	}
	return asked
}

// work runs processes until the queue is empty.
func (s *ShellCheck) work(ctx context.Context) {
	for {
		s.mu.Lock()
		n := min(len(s.queue), maxBatch)
		batch := s.queue[:n:n]
		s.queue = s.queue[n:]
		if n == 0 {
			s.running--
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		remarks, err := s.run(ctx, batch)
		s.mu.Lock()
		if cancelled := ctx.Err(); err != nil && cancelled != nil {
			err = cancelled
		} else if err != nil && s.failed == nil {
			s.failed = err
		}
		for i, script := range batch {
			v := s.known[script]
			if v.err = err; err == nil {
				v.remarks = remarks[i]
			} else {
				delete(s.known, script)
			}
			v.finished = true
			close(v.done)
		}
		s.mu.Unlock()
	}
}

// run gives the scripts to one process, as files of a temporary folder whose
// names are their numbers.
func (s *ShellCheck) run(ctx context.Context, scripts []string) (_ [][]facts.ShellRemark, err error) {
	dir, err := os.MkdirTemp("", "imgmgr-shellcheck-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for ShellCheck: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	args := []string{"--norc", "--format=json1", "--"}
	for i, script := range scripts {
		name := strconv.Itoa(i)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o600); err != nil {
			return nil, fmt.Errorf("write a script for ShellCheck: %w", err)
		}
		args = append(args, name)
	}
	cmd := exec.CommandContext(ctx, s.program, args...)
	cmd.Dir = dir
	// Without a UTF-8 locale it refuses what isn't ASCII.
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "SHELLCHECK_OPTS=")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	// 1 says that there are remarks.
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) {
		return nil, fmt.Errorf("run %s: %w: %s", s.program, err, firstLine(complaint.Bytes()))
	}
	return readRemarks(out, scripts)
}

func firstLine(text []byte) []byte {
	line, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
	return line
}

// readRemarks reads ShellCheck's format json1. Its lines and columns count from
// 1, columns in characters.
func readRemarks(out []byte, scripts []string) ([][]facts.ShellRemark, error) {
	type place struct{ Line, Column, EndLine, EndColumn int }
	var report struct {
		Comments []struct {
			place
			File, Level, Message string
			Code                 int
			Fix                  struct {
				Replacements []struct {
					place
					Replacement string
				}
			}
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return nil, fmt.Errorf("read what ShellCheck says: %w; is it version 0.7 or later?", err)
	}
	lines := make([]*edit.Lines, len(scripts))
	all := make([][]facts.ShellRemark, len(scripts))
	for _, c := range report.Comments {
		i, err := strconv.Atoi(c.File)
		if err != nil || i < 0 || i >= len(scripts) {
			return nil, fmt.Errorf("read what ShellCheck says: it speaks of a file %q that it wasn't given", c.File)
		}
		if lines[i] == nil {
			lines[i] = edit.NewLines([]byte(scripts[i]))
		}
		at := func(line, column int) int { return offset(scripts[i], lines[i], line, column) }
		r := facts.ShellRemark{
			Start: at(c.Line, c.Column), End: at(c.EndLine, c.EndColumn),
			Code: c.Code, Level: c.Level, Message: c.Message,
		}
		for _, e := range c.Fix.Replacements {
			r.Fix = append(r.Fix, facts.ShellEdit{Start: at(e.Line, e.Column), End: at(e.EndLine, e.EndColumn), New: e.Replacement})
		}
		all[i] = append(all[i], r)
	}
	return all, nil
}

// offset is the byte at a line and column.
func offset(text string, lines *edit.Lines, line, column int) int {
	if line < 1 || line > lines.Count() {
		return len(text)
	}
	span := lines.Span(line)
	for i := range text[span.Start:span.End] {
		if column--; column < 1 {
			return span.Start + i
		}
	}
	return span.End
}
