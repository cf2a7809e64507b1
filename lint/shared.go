package lint

import (
	"reflect"

	"github.com/imgmgr/imgmgr/lint/buildkit"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// shared is what the rules of one Check work out once for all.
type shared struct {
	states   map[*dockerfile.Stage]*stageStates
	below    map[*dockerfile.Stage][]below
	buildkit func() (*buildkit.Report, error)
	once     map[reflect.Type]any
	settled  []Settled
	written  *edit.Map // leads back to what the file's owner wrote; nil: the file is that
}

// Once returns what work makes of the file: made by the first rule of a Check that
// asks for a value of this type, and the same for all others, which leave it as
// it is. It can't rest on the rule's own configuration.
func Once[T any](p *Pass, work func(*Pass) T) T {
	key := reflect.TypeFor[T]()
	if made, ok := p.shared.once[key]; ok {
		return made.(T)
	}
	made := work(p)
	if p.shared.once == nil {
		p.shared.once = map[reflect.Type]any{}
	}
	p.shared.once[key] = made
	return made
}

// BuildKit returns what BuildKit's own linter says of the file.
func (p *Pass) BuildKit() (*buildkit.Report, error) {
	if p.shared.buildkit == nil {
		report, err := buildkit.Lint(p.Context, p.File.Name, p.File.Src, p.Facts)
		p.shared.buildkit = func() (*buildkit.Report, error) { return report, err }
	}
	return p.shared.buildkit()
}
