package scanner

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/anchore/syft/syft/format/common/spdxhelpers"

	"github.com/imgmgr/imgmgr/frontend/trail"
)

// tracer looks packages up in the results of the steps that an image was built
// in, from the top down. The step that brought a package in is the lowest of
// those that have it without a gap.
type tracer struct {
	steps   map[string]trail.Step
	top     string
	dirs    map[string]string // where the results of steps are
	kept    *memory           // what is known of the steps below; nil where all are here
	prepare preparer
	roots   map[string]*os.Root
	sides   map[[2]string]string // by step and path: see side
}

func newTracer(way *trail.Trail, root string, kept *memory, prepare preparer) *tracer {
	t := &tracer{
		steps: map[string]trail.Step{}, top: way.Top, dirs: map[string]string{way.Top: root},
		kept: kept, prepare: prepare, roots: map[string]*os.Root{}, sides: map[[2]string]string{},
	}
	for _, s := range way.Steps {
		t.steps[s.ID] = s
		if s.Dir != "" {
			t.dirs[s.ID] = s.Dir
		}
	}
	return t
}

func (t *tracer) close() {
	for _, r := range t.roots {
		r.Close()
	}
}

// trace returns the origins of packages by their keys.
func (t *tracer) trace(ctx context.Context, packages []proof) (map[string]origin, error) {
	found := map[string]origin{}
	bring := func(p proof, step string) error {
		from, err := t.side(step, p.at)
		found[p.key] = origin{Step: step, From: from}
		return err
	}
	at, pending := t.top, packages
	for below, ok := t.below(at); ok; below, ok = t.below(at) {
		there, err := t.present(ctx, pending, at, below)
		if err != nil {
			return nil, err
		}
		var still []proof
		for _, p := range pending {
			if there[p.key] {
				still = append(still, p)
			} else if err := bring(p, at); err != nil {
				return nil, err
			}
		}
		at, pending = below, still
	}
	for _, p := range pending {
		if t.kept != nil {
			if o, ok := t.kept.Origins[p.key]; ok {
				found[p.key] = o
				continue
			}
		}
		if err := bring(p, at); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// below is the next step down whose result is here. Steps without one bring
// nothing in, or lie below a kept scan.
func (t *tracer) below(id string) (string, bool) {
	for {
		if id = t.steps[id].Below; id == "" || t.kept != nil && id == t.kept.Top {
			return "", false
		}
		if t.dirs[id] != "" {
			return id, true
		}
	}
}

// present reports which packages that a step has are in one below it too.
func (t *tracer) present(ctx context.Context, packages []proof, at, below string) (map[string]bool, error) {
	upper, err := t.root(at)
	if err != nil {
		return nil, err
	}
	lower, err := t.root(below)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	same := map[string]bool{} // by path; absent for files that are not there
	ask := map[string][]proof{}
	for _, p := range packages {
		if _, ok := same[p.at]; !ok {
			if regular(lower, p.at) == nil {
				continue
			}
			if same[p.at], err = equalFiles(upper, p.at, lower, p.at); err != nil {
				return nil, fmt.Errorf("look %s up in step %s: %w", p.at, below, err)
			}
		}
		if same[p.at] {
			there[p.key] = true
		} else {
			ask[p.at] = append(ask[p.at], p)
		}
	}
	if len(ask) == 0 {
		return there, ctx.Err()
	}
	return there, t.ask(ctx, lower, ask, there)
}

// ask adds to there the packages that a root's own versions of files prove, of
// which the package is known by the file's path.
func (t *tracer) ask(ctx context.Context, lower *os.Root, files map[string][]proof, there map[string]bool) error {
	ctx, err := t.prepare(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "imgmgr-step-")
	if err != nil {
		return fmt.Errorf("look into a step: %w", err)
	}
	defer os.RemoveAll(dir)
	wanted := []string{"/etc/os-release", "/usr/lib/os-release"}
	for at, packages := range files {
		wanted = append(wanted, at)
		if len(packages) == 1 { // not a database: the files beside it count
			wanted = append(wanted, packages[0].paths...)
		}
	}
	slices.Sort(wanted)
	for _, name := range slices.Compact(wanted) {
		if regular(lower, name) == nil {
			continue
		}
		if err := copyOut(lower, name, dir); err != nil {
			return fmt.Errorf("look into a step: %w", err)
		}
	}
	bom, err := catalog(ctx, dir, "step", nil, nil)
	if err != nil {
		return err
	}
	for _, p := range evidence(spdxhelpers.ToFormatModel(*bom)) {
		there[p.key] = true
	}
	return nil
}

// side is the step of another stage that made the file name, which a step copied
// from there: the lowest that has it without a gap. It is "" where the file was
// not copied, or where that isn't known.
func (t *tracer) side(step, name string) (string, error) {
	key := [2]string{step, name}
	if from, ok := t.sides[key]; ok {
		return from, nil
	}
	from, err := t.findSide(step, name)
	t.sides[key] = from
	return from, err
}

func (t *tracer) findSide(step, name string) (string, error) {
	copies := t.steps[step].Copies
	if len(copies) == 0 || t.dirs[step] == "" {
		return "", nil
	}
	here, err := t.root(step)
	if err != nil {
		return "", err
	}
	for _, c := range slices.Backward(copies) { // the last wins
		at := c.From
		if t.dirs[at] == "" {
			var ok bool
			if at, ok = t.below(at); !ok {
				continue
			}
		}
		there, err := t.root(at)
		if err != nil {
			return "", err
		}
		for _, source := range sources(there, c, name) {
			_, info := resolve(t.dirs[at], source)
			if info == nil || !info.Mode().IsRegular() {
				continue
			}
			real, _ := resolve(t.dirs[at], source)
			if same, err := equalFiles(here, name, there, real); err != nil || !same {
				continue
			}
			return t.lowest(at, real)
		}
	}
	return "", nil
}

// lowest is the step at or below another that made a file, in whichever stage.
func (t *tracer) lowest(at, name string) (string, error) {
	for {
		below, ok := t.below(at)
		if !ok {
			break
		}
		upper, err := t.root(at)
		if err != nil {
			return "", err
		}
		lower, err := t.root(below)
		if err != nil {
			return "", err
		}
		if same, err := equalFiles(upper, name, lower, name); err != nil || !same {
			break
		}
		at = below
	}
	if further, err := t.side(at, name); err != nil || further != "" {
		return further, err
	}
	return at, nil
}

// sources are the files that name may be a copy of.
func sources(root *os.Root, c trail.Copy, name string) []string {
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(path.Clean("/"+c.Dest), "/"))
	if !ok || rest != "" && !strings.HasPrefix(rest, "/") {
		return nil
	}
	pattern := strings.TrimPrefix(path.Clean("/"+c.Source), "/")
	matches := []string{pattern}
	if strings.ContainsAny(pattern, `*?[`) {
		matches, _ = fs.Glob(root.FS(), pattern)
	}
	var all []string
	for _, m := range matches {
		m = "/" + m
		all = append(all, path.Join(m, rest)) // what a directory holds, or a file by another name
		if within, ok := strings.CutPrefix(rest+"/", "/"+path.Base(m)+"/"); ok {
			all = append(all, path.Join(m, within)) // a file by its own name
		}
	}
	return all
}

// root opens the result of a step.
func (t *tracer) root(step string) (*os.Root, error) {
	if r := t.roots[step]; r != nil {
		return r, nil
	}
	r, err := os.OpenRoot(t.dirs[step])
	if err != nil {
		return nil, fmt.Errorf("look into step %s: %w", step, err)
	}
	t.roots[step] = r
	return r, nil
}

// regular is the regular file at a path that leads through no link out of the
// root; nil if there is none.
func regular(root *os.Root, name string) fs.FileInfo {
	info, err := root.Lstat(strings.TrimPrefix(name, "/"))
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return info
}

// equalFiles reports whether two roots have the same regular file at two paths.
// One that has the same inode is not read: all roots lie in one file system,
// whose files the overlays of the layers show.
func equalFiles(a *os.Root, name string, b *os.Root, other string) (bool, error) {
	one, two := regular(a, name), regular(b, other)
	if one == nil || two == nil || one.Size() != two.Size() {
		return false, nil
	}
	s, ok := one.Sys().(*syscall.Stat_t)
	u, also := two.Sys().(*syscall.Stat_t)
	if ok && also && s.Ino == u.Ino && one.ModTime().Equal(two.ModTime()) {
		return true, nil
	}
	f, err := a.Open(strings.TrimPrefix(name, "/"))
	if err != nil {
		return false, err
	}
	defer f.Close()
	g, err := b.Open(strings.TrimPrefix(other, "/"))
	if err != nil {
		return false, err
	}
	defer g.Close()
	return equalContent(f, g)
}

// equalContent compares what two readers have left.
func equalContent(f, g io.Reader) (bool, error) {
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(f, x)
		m, _ := io.ReadFull(g, y)
		if !bytes.Equal(x[:n], y[:m]) {
			return false, nil
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return true, nil
		default:
			return false, err
		}
	}
}

// copyOut copies a file of a root to the same path in dir.
func copyOut(root *os.Root, name, dir string) error {
	f, err := root.Open(strings.TrimPrefix(name, "/"))
	if err != nil {
		return err
	}
	defer f.Close()
	to := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	g, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(g, f)
	if closed := g.Close(); err == nil {
		err = closed
	}
	return err
}
