// Package trail is what the frontend tells its SBOM scanner of how an image
// came about: steps, each put onto the one below it, and the instructions of the
// Dockerfile that they come from.
//
// The scanner looks each package up in the results of the steps, from the top
// down, and so finds the step that brought it in.
package trail

import (
	"encoding/json"
	"fmt"
)

// Env is the scanner's environment variable that holds a [Trail] as JSON.
const Env = "BUILDKIT_SCAN_TRAIL"

// Trail is the way to the root that is scanned.
type Trail struct {
	Top   string `json:"top"` // the ID of the step whose result is scanned
	Steps []Step `json:"steps"`
}

// Step is one step. Without an instruction and with the same steps below it, it
// is the same in every build, whatever line it stands on: what a kept scan says
// of a step stays true when lines move.
type Step struct {
	// ID is the step's number from the bottom, from 0. "3.0.5" is the sixth step
	// of the stage from which step 3 makes its first copy.
	ID    string `json:"id"`
	Below string `json:"below,omitempty"` // the ID of what it was put onto
	// Dir is where the scanner finds the step's result; "" where it has none: that
	// of the top, those below a kept scan, and steps that only make directories.
	Dir         string       `json:"dir,omitempty"`
	Copies      []Copy       `json:"copies,omitempty"`
	Instruction *Instruction `json:"instruction,omitempty"`
}

// Copy is what a step copied from another stage, or from another image.
type Copy struct {
	From   string `json:"from"`   // the ID of the topmost step there
	Source string `json:"source"` // a path there, perhaps with wildcards
	Dest   string `json:"dest"`   // a path here
}

// Instruction is an instruction of the Dockerfile as its owner wrote it.
type Instruction struct {
	File    string `json:"file"`              // the Dockerfile's name
	Line    int    `json:"line"`              // its first line, from 1
	EndLine int    `json:"endLine,omitempty"` // its last, where that is another
	Text    string `json:"instruction"`       // on one line, shortened
	Stage   string `json:"stage,omitempty"`   // the stage's name, or number; "" where there is one without a name
	// Base is the reference of the base image, with its digest, where the
	// instruction brought in an image.
	Base string `json:"base,omitempty"`
	// History is the index of the instruction in the history of the image's
	// configuration, from 0, and so tells the layer: that of the same number
	// among the entries that are not empty. For a base image it is the last of
	// its own entries. Nil in other stages, and where it isn't known.
	History *int `json:"history,omitempty"`
}

// Origin says which instruction brought a package in. It stands in the SBOM as
// an annotation of the package: the JSON object {"broughtInBy": Origin}.
type Origin struct {
	Instruction
	// Origin is the instruction of another stage that made what was copied from
	// there; nil where nothing was, or where it isn't known.
	Origin *Instruction `json:"origin,omitempty"`
}

// Annotation is the form in which an SBOM holds an Origin.
type Annotation struct {
	BroughtInBy *Origin `json:"broughtInBy"`
}

// Parse reads the value of [Env]. It returns nil for an empty one.
func Parse(value string) (*Trail, error) {
	if value == "" {
		return nil, nil
	}
	t := &Trail{}
	if err := json.Unmarshal([]byte(value), t); err != nil {
		return nil, fmt.Errorf("read the steps of the image from %s: %w", Env, err)
	}
	return t, nil
}
