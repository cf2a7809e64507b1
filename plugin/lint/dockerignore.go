package lint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/report"
)

// IgnoreList is a file that says what a build context ignores.
type IgnoreList struct {
	Path string
	Text []byte // nil: there is no such file
}

// IgnoreListOf is the one in force for a Dockerfile's text, or the one to make;
// false where the build context isn't known.
func IgnoreListOf(o Options, path string, src []byte) (IgnoreList, bool) {
	r := result{File: report.File{Path: path}}
	s := r.open(o, &settings{opts: o}, target{path: path}, src)
	if s == nil {
		return IgnoreList{}, false
	}
	list, err := r.ignoreList(s)
	return list, err == nil && list.Path != ""
}

// ignoreList reads the list that holds for every build.
func (r *result) ignoreList(s *subject) (IgnoreList, error) {
	world := r.world(s, common(s.target.builds))
	world.close()
	if world.ignoreList == "" {
		return IgnoreList{}, nil
	}
	text, err := os.ReadFile(world.ignoreList)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return IgnoreList{}, fmt.Errorf("read %s: %w", world.ignoreList, readError(err))
	}
	return IgnoreList{world.ignoreList, text}, nil
}

// Added is what stands at the end of the list when it has the lines, too; those
// that it has already aren't written again.
func (l IgnoreList) Added(lines []string) string {
	newline := "\n"
	if bytes.Contains(l.Text, []byte("\r\n")) {
		newline = "\r\n"
	}
	var added strings.Builder
	if len(l.Text) > 0 && !bytes.HasSuffix(l.Text, []byte("\n")) {
		added.WriteString(newline)
	}
	has := strings.Fields(string(l.Text))
	for _, line := range lines {
		if !slices.Contains(has, line) {
			has = append(has, line)
			added.WriteString(line + newline)
		}
	}
	return added.String()
}

// putIgnored makes the fixes that add lines to the ignore list, or notes the
// difference. Standard input has no file, and so none beside it.
func (r *result) putIgnored(s *subject, rewritten *engine.Rewritten) error {
	if len(rewritten.Ignoring) == 0 || r.Path == Stdin {
		return nil
	}
	s.conf.lists.Lock()
	defer s.conf.lists.Unlock()
	list, err := r.ignoreList(s)
	if err != nil || list.Path == "" {
		return err
	}
	after := append(bytes.Clone(list.Text), list.Added(rewritten.IgnoreLines())...)
	if s.opts.Diff {
		r.diff += edit.Unified(slashed(list.Path), list.Text, after)
		return nil
	}
	if err := replace(list.Path, list.Text, after); err != nil {
		return fmt.Errorf("%s: %w", list.Path, err)
	}
	file, err := dockerfile.Parse(r.Path, rewritten.Src)
	if err != nil {
		return err
	}
	for _, d := range rewritten.Ignoring {
		r.Fixed = append(r.Fixed, rewritten.Made(file, d))
	}
	return nil
}
