package linttest

import (
	"context"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/facts"
)

// Shell stands for the program ShellCheck: wherever a script holds a key, it
// says the remark, whose offsets are those in the key.
type Shell map[string]facts.ShellRemark

// ShellCheck looks for the keys in each script.
func (s Shell) ShellCheck(_ context.Context, scripts []string) ([][]facts.ShellRemark, error) {
	all := make([][]facts.ShellRemark, len(scripts))
	for i, script := range scripts {
		for text, remark := range s {
			for at := 0; ; at++ {
				next := strings.Index(script[at:], text)
				if next < 0 {
					break
				}
				at += next
				all[i] = append(all[i], shifted(remark, at))
			}
		}
		slices.SortFunc(all[i], func(a, b facts.ShellRemark) int { return a.Start - b.Start })
	}
	return all, nil
}

func shifted(r facts.ShellRemark, by int) facts.ShellRemark {
	r.Start, r.End, r.Fix = r.Start+by, r.End+by, slices.Clone(r.Fix)
	for i := range r.Fix {
		r.Fix[i].Start += by
		r.Fix[i].End += by
	}
	return r
}
