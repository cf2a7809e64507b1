package rules

import (
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// leastCommits is how many have to be known to speak of how often something
// changes.
const leastCommits = 10

// churn says how often what a COPY or ADD takes from the context changes, and
// how often the files that are enough do; nothing where the history isn't known.
func churn(p *lint.Pass, in *dockerfile.Instruction, enough []string) []lint.Evidence {
	sources := contextCopy(in).SourcePaths
	if len(sources) == 0 {
		return nil
	}
	changed, all := p.Facts.Changes(p.Context, sources...)
	if all < leastCommits {
		return nil
	}
	says := fmt.Sprintf("what %s takes changed in %d of the last %d commits", quoted(p, in), changed, all)
	if len(enough) > 0 {
		fewer, _ := p.Facts.Changes(p.Context, enough...)
		says += fmt.Sprintf(", and %s in %d", strings.Join(enough, ", "), fewer)
	}
	return []lint.Evidence{{What: "git", Says: says}}
}

// contextCopy is what any COPY or ADD takes from the build context, and where to;
// without sources where the instruction is another one.
func contextCopy(in *dockerfile.Instruction) instructions.SourcesAndDest {
	switch c := in.Command.(type) {
	case *instructions.CopyCommand:
		if c.From == "" {
			return c.SourcesAndDest
		}
	case *instructions.AddCommand:
		return c.SourcesAndDest
	}
	return instructions.SourcesAndDest{}
}
