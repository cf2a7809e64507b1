package frontend

import (
	"context"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// readSwitches reads what the build, the Dockerfile and its syntax line switch
// on and off. What can't be understood costs a warning.
func (b *build) readSwitches(ctx context.Context) lint.Switches {
	args := map[string]string{}
	for name, value := range b.opts {
		if arg, ok := strings.CutPrefix(name, "build-arg:"); ok {
			args[arg] = value
		}
	}
	_, words, _ := strings.Cut(strings.TrimSpace(b.opts["cmdline"]), " ")
	s, problems := lint.ReadSwitches(b.file, words, args)
	for _, problem := range problems {
		b.warn(ctx, "imgmgr: "+problem)
	}
	return s
}
