// Package prove measures what the repairs of a Dockerfile save. The Dockerfile is
// built as it is written and as it is repaired, on the user's own builder, and the
// images are held against each other: their bytes, and whether they are the same
// but for what the repairs say that they leave out.
//
// [Bases], [Edited], [Judge] and [Lines] are pure; [Bench] builds.
package prove

import (
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// Subject is a Dockerfile that is proven.
type Subject struct {
	Written, Repaired *dockerfile.File
	Target            string
	Args              map[string]string // --build-arg
}

func (s Subject) instructions(file *dockerfile.File) (out []*dockerfile.Instruction) {
	needed := file.NeededWith(s.Target, s.Args)
	for _, st := range file.Stages {
		if needed[st] {
			out = append(out, st.Instructions...)
		}
	}
	return out
}
