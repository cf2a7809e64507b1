package lint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
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
	src, err := t.read(stdin)
	if err != nil && len(t.builds) > 0 {
		err = fmt.Errorf("%w, and target %s, which builds it", err, t.builds[0].name)
	}
	if err != nil {
		r.problem(err)
		return r
	}
	if t.inline != nil {
		defer func() { t.inline.place(&r.File) }()
	}
	if o.Fragment {
		part := newFragment(t.path, src)
		src = part.whole
		defer func() { part.place(&r.File) }()
	}
	s := r.open(o, conf, t, src)
	if s == nil {
		return r
	}
	r.failOn = s.failOn
	if o.Fix > engine.None {
		r.fix(ctx, s)
	}
	if !o.Diff {
		r.check(ctx, s)
	}
	return r
}

// subject is a Dockerfile with what holds for it.
type subject struct {
	opts   Options
	target target // with one build at least
	file   *dockerfile.File
	conf   *settings
	setting
}

// open parses a text and finds what holds for it; nil, with a problem, where it
// can't be checked.
func (r *result) open(o Options, conf *settings, t target, src []byte) *subject {
	r.Src = src
	file, err := dockerfile.Parse(t.path, src)
	if err != nil {
		r.problem(err)
		return nil
	}
	set, err := conf.of(t.configPath())
	if err != nil {
		r.problem(err)
		return nil
	}
	if len(t.builds) == 0 {
		t.builds = []build{o.plain()}
	}
	return &subject{o, t, file, conf, set}
}

// fix makes the file's fixes, and leaves the file as it is then.
func (r *result) fix(ctx context.Context, s *subject) {
	r.fixed = r.Src
	rewritten, err := r.rewrite(ctx, s, r.fixing(s, s.opts.Fix), s.opts.Fix)
	if err != nil {
		r.problem(err)
		return
	}
	if len(rewritten.Applied) > 0 {
		r.put(s, rewritten)
	}
	if len(r.Problems) == 0 {
		r.problem(r.putIgnored(s, rewritten))
	}
}

// put writes the repaired text, or notes the difference.
func (r *result) put(s *subject, rewritten *engine.Rewritten) {
	inline := s.target.inline
	if s.opts.Diff {
		before, after := r.Src, rewritten.Src
		if inline != nil && inline.lines != nil {
			before, after = inline.src, inline.rewritten(string(after))
		}
		r.diff = edit.Unified(slashed(r.Path), before, after)
		return
	}
	fixed, err := dockerfile.Parse(r.Path, rewritten.Src)
	switch {
	case err != nil:
	case inline != nil:
		err = inline.write(string(rewritten.Src))
	case r.Path != Stdin:
		err = replace(r.Path, r.Src, rewritten.Src)
	}
	if err != nil {
		r.problem(err)
		return
	}
	r.Fixed, r.Src, r.fixed = rewritten.Applied, rewritten.Src, rewritten.Src
	s.file = fixed
}

// slashed is a path as diffs write it.
func slashed(name string) string {
	return strings.TrimPrefix(filepath.ToSlash(filepath.Clean(name)), "/")
}

// fixing are the rules whose fixes are made.
func (r *result) fixing(s *subject, floor engine.Safety) []*engine.Rule {
	if floor != engine.BuildSafe {
		return s.rules
	}
	// Exactly what the frontend makes, and so steered as the frontend is.
	on, problems := engine.ReadSwitches(s.file, syntaxWords(s.file), common(s.target.builds).args)
	for _, problem := range problems {
		r.problem(errors.New(problem))
	}
	return on.Rules(engine.Config{}.Rules(s.opts.Rules))
}

// survive makes a panic a problem of the file, when it is deferred.
func (r *result) survive() {
	if p := recover(); p != nil {
		r.problem(fmt.Errorf("imgmgr itself failed on this file: %v. Please report it with the file to https://github.com/imgmgr/imgmgr/issues (%s)", p, origin(debug.Stack())))
	}
}

// syntaxWords are the words of the syntax line behind the frontend's image.
func syntaxWords(file *dockerfile.File) string {
	d, _ := file.Syntax()
	_, words, _ := strings.Cut(d.Value, " ")
	return words
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
	p := report.Problem{Message: err.Error()}
	if refused, ok := errors.AsType[*dockerfile.ParseError](err); ok {
		p = report.Problem{Message: refused.Message, Line: refused.Line}
	}
	if !slices.Contains(r.Problems, p) { // several builds may have the same
		r.Problems = append(r.Problems, p)
	}
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
