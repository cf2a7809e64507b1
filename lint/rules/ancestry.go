package rules

import (
	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// ancestor is a stage that another one is made from, or that stage itself.
type ancestor struct {
	pass  *lint.Pass // over the stage's file
	stage *dockerfile.Stage
	other bool // the file isn't the one that is linted
}

// ancestry is Pass.Lineage as a list. It has the stage itself at least.
func ancestry(p *lint.Pass, st *dockerfile.Stage) []ancestor {
	var all []ancestor
	for at, st := range p.Lineage(st) {
		all = append(all, ancestor{at, st, at != p})
	}
	return all
}

func (a ancestor) result() lint.State { return a.pass.Result(a.stage) }

// where names the file, in a sentence about an instruction; "" for the one that
// is linted.
func (a ancestor) where() string {
	if !a.other {
		return ""
	}
	return " in " + a.pass.File.Name
}
