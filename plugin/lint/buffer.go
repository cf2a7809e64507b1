package lint

import (
	"context"
	"fmt"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/report"
)

// Check lints a text as if it were what the file at path holds, or [Stdin]
// where there is no file. Paths, Format, Fix, Diff and FailOn of the options
// don't matter. The configuration is read anew each time.
func Check(ctx context.Context, o Options, path string, src []byte) report.File {
	r := result{File: report.File{Path: path}}
	func() {
		defer r.survive()
		if s := r.open(o, &settings{opts: o}, target{path: path}, src); s != nil {
			r.check(ctx, s)
		}
	}()
	return r.File
}

// Rewrite makes the fixes of a text that Check finds, those that are at least
// as safe as floor, and writes nothing.
func Rewrite(ctx context.Context, o Options, path string, src []byte, floor engine.Safety) (*engine.Rewritten, error) {
	r := result{File: report.File{Path: path}}
	s := r.open(o, &settings{opts: o}, target{path: path}, src)
	if s == nil {
		return nil, fmt.Errorf("fix %s: %s", path, r.Problems[0].Message)
	}
	return r.rewrite(ctx, s, r.fixing(s, floor), floor)
}
