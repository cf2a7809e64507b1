package lint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/report"
)

// maxSize bounds what is read as a Dockerfile, in bytes: BuildKit's own bound.
const maxSize = 16 << 20

// lintOne checks one target. Whatever goes wrong with it becomes a problem of
// this file and never hides another.
func lintOne(ctx context.Context, stdin io.Reader, o Options, conf *settings, t target) (r result) {
	r.Path = t.path
	defer r.survive()
	if t.err != nil {
		r.problem(t.err)
		return r
	}
	src, err := read(stdin, t.path)
	if err != nil {
		r.problem(err)
		return r
	}
	s := r.open(o, conf, src)
	if s == nil {
		return r
	}
	defer s.world.close()
	r.failOn = s.failOn
	if o.Fix > engine.None {
		s.file = r.fix(ctx, o, s.rules, s.file, s.world.facts)
	}
	if !o.Diff {
		r.check(ctx, s)
	}
	return r
}

// subject is a Dockerfile with what holds for it.
type subject struct {
	file  *dockerfile.File
	world *world
	setting
}

// open parses a text and gathers what holds for it; nil, with a problem, where
// it can't be checked. Its world is to be closed.
func (r *result) open(o Options, conf *settings, src []byte) *subject {
	r.Src = src
	file, err := dockerfile.Parse(r.Path, src)
	if err != nil {
		r.problem(err)
		return nil
	}
	world, err := openWorld(o, r.Path, file)
	r.problem(err)
	r.noContext = world.facts.Files == nil
	set, err := conf.of(r.Path)
	if err != nil {
		world.close()
		r.problem(err)
		return nil
	}
	return &subject{file, world, set}
}

func (r *result) check(ctx context.Context, s *subject) {
	var err error
	r.Findings, err = engine.Check(ctx, s.file, s.world.facts, s.rules)
	r.problem(err)
}

// fix makes the file's fixes, and returns the file as it is then.
func (r *result) fix(ctx context.Context, o Options, rules []*engine.Rule, file *dockerfile.File, known facts.Context) *dockerfile.File {
	r.fixed = r.Src
	if o.Fix == engine.BuildSafe {
		// Exactly what the frontend makes, and so steered as the frontend is.
		on, problems := engine.ReadSwitches(file, syntaxWords(file), o.Args)
		for _, problem := range problems {
			r.problem(errors.New(problem))
		}
		rules = on.Rules(engine.Config{}.Rules(o.Rules))
	}
	rewritten, err := engine.Rewrite(ctx, r.Path, r.Src, known, rules, o.Fix)
	if err != nil {
		r.problem(err)
		return file
	}
	if len(rewritten.Applied) == 0 {
		return file
	}
	if o.Diff {
		name := strings.TrimPrefix(filepath.ToSlash(filepath.Clean(r.Path)), "/")
		r.diff = edit.Unified(name, r.Src, rewritten.Src)
		return file
	}
	fixed, err := dockerfile.Parse(r.Path, rewritten.Src)
	if err == nil && r.Path != Stdin {
		err = replace(r.Path, r.Src, rewritten.Src)
	}
	if err != nil {
		r.problem(err)
		return file
	}
	r.Fixed, r.Src, r.fixed = rewritten.Applied, rewritten.Src, rewritten.Src
	return fixed
}

// survive makes a panic a problem of the file, when it is deferred.
func (r *result) survive() {
	if p := recover(); p != nil {
		r.problem(fmt.Errorf("imgmgr itself failed on this file: %v. Please report it with the file to https://github.com/imgmgr/imgmgr/issues (%s)", p, origin(debug.Stack())))
	}
}

// syntaxWords are the words of the syntax line behind the frontend's image.
func syntaxWords(file *dockerfile.File) string {
	for _, d := range file.Directives {
		if d.Name == "syntax" {
			_, words, _ := strings.Cut(d.Value, " ")
			return words
		}
	}
	return ""
}

// problem notes what kept the file from being checked; nil is none.
func (r *result) problem(err error) {
	if err == nil {
		return
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range many.Unwrap() {
			r.problem(one)
		}
		return
	}
	if refused, ok := errors.AsType[*dockerfile.ParseError](err); ok {
		r.Problems = append(r.Problems, report.Problem{Message: refused.Message, Line: refused.Line})
		return
	}
	r.Problems = append(r.Problems, report.Problem{Message: err.Error()})
}

// read returns the bytes of a file or of standard input.
func read(stdin io.Reader, path string) ([]byte, error) {
	if path != Stdin {
		f, err := os.Open(path)
		if err != nil {
			return nil, readError(err)
		}
		defer f.Close()
		stdin = f
	}
	src, err := io.ReadAll(io.LimitReader(stdin, maxSize+1))
	if err != nil {
		return nil, readError(err)
	}
	if len(src) > maxSize {
		return nil, fmt.Errorf("it is larger than %d bytes, which BuildKit does not take for a Dockerfile; check the path", maxSize)
	}
	return src, nil
}

// readError says what to do about a file that can't be read. The path stands in
// front of it.
func readError(err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("it can't be read: %w; check the path", os.ErrNotExist)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("it can't be read: %w; check its permissions", os.ErrPermission)
	}
	if failed, ok := errors.AsType[*os.PathError](err); ok {
		err = failed.Err
	}
	return fmt.Errorf("it can't be read: %w", err)
}

// origin is the first line of a stack that names our own code.
func origin(stack []byte) string {
	lines := strings.Split(string(stack), "\n")
	seenPanic := false
	for _, line := range lines {
		if strings.HasPrefix(line, "panic(") {
			seenPanic = true
		}
		if seenPanic && strings.HasPrefix(line, "github.com/imgmgr/imgmgr/") {
			return line
		}
	}
	return "no place known"
}
