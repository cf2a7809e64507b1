package lint

import (
	"github.com/imgmgr/imgmgr/lint/buildkit"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// shared is what the rules of one Check work out once for all.
type shared struct {
	states   map[*dockerfile.Stage]*stageStates
	buildkit func() (*buildkit.Report, error)
}

// BuildKit returns what BuildKit's own linter says of the file.
func (p *Pass) BuildKit() (*buildkit.Report, error) {
	if p.shared.buildkit == nil {
		report, err := buildkit.Lint(p.Context, p.File.Name, p.File.Src, p.Facts)
		p.shared.buildkit = func() (*buildkit.Report, error) { return report, err }
	}
	return p.shared.buildkit()
}
