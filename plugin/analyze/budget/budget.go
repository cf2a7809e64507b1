// Package budget holds an image to limits: those of the command line, and those
// of a file that lives beside the Dockerfile. A limit that isn't met names the
// layer that most of it comes from, so that it can stand at a line.
package budget

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/imgmgr/imgmgr/plugin/ui"
)

// FileName is the file's name beside a Dockerfile.
const FileName = "imgmgr.budget.yaml"

// Budget is what a file sets for the images of one stage.
type Budget struct {
	Name    string // of the file
	Entries []Entry
}

// Entry is one budget of a file.
type Entry struct {
	// Stage is that of --target; "" holds for all.
	Stage    string    `yaml:"stage"`
	Limits   Limits    `yaml:"total"`
	Paths    []Path    `yaml:"paths"`
	Packages []Package `yaml:"packages"`
}

// Path limits what layers ship at paths, in all layers together.
type Path struct {
	Path    string `yaml:"path"` // a pattern: "usr/share/doc/**"
	MaxSize string `yaml:"maxSize"`
}

// Package limits what packages take that are installed.
type Package struct {
	Type     string `yaml:"type"` // as in a package URL: "deb"; "" is any
	Name     string `yaml:"name"` // a pattern: "lib*-dev"; "" is any
	MaxSize  string `yaml:"maxSize"`
	MaxCount *int   `yaml:"maxCount"` // nil is no limit; 0 forbids them
}

// Parse reads a file and keeps the budgets of a stage; "" is the final one, for
// which those without a stage hold.
func Parse(name string, text []byte, stage string) (*Budget, error) {
	var file struct {
		Version int     `yaml:"version"`
		Budgets []Entry `yaml:"budgets"`
	}
	if err := ui.ReadYAML(name, text, &file); err != nil {
		return nil, err
	}
	if file.Version != 1 || len(file.Budgets) == 0 {
		return nil, fmt.Errorf("read %s: want \"version: 1\" and a list of \"budgets\"; see docs/analyze.md", name)
	}
	b := &Budget{Name: name}
	for i, e := range file.Budgets {
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("read %s: budget %d: %w", name, i+1, err)
		}
		if e.Stage == "" || strings.EqualFold(e.Stage, stage) {
			b.Entries = append(b.Entries, e)
		}
	}
	if len(b.Entries) == 0 {
		return nil, fmt.Errorf("read %s: all budgets are for stages, none for %q: name one with --target", name, stage)
	}
	return b, nil
}

func (e Entry) check() error {
	if e.Limits.MaxGrowth != "" {
		return errors.New("maxGrowth needs an image to compare with: use --max-growth and --compare")
	}
	if err := e.Limits.Check(false); err != nil {
		return err
	}
	if e.Limits == (Limits{}) && len(e.Paths)+len(e.Packages) == 0 {
		return errors.New("it limits nothing: set total, paths or packages")
	}
	for _, p := range e.Paths {
		if p.Path == "" || !doublestar.ValidatePattern(p.Path) {
			return fmt.Errorf("path %q is no pattern such as usr/share/doc/**", p.Path)
		}
		if err := (Limits{MaxSize: p.MaxSize}).Check(false); err != nil || p.MaxSize == "" {
			return fmt.Errorf("path %s: maxSize %q: write a size as 200MB or 150MiB", p.Path, p.MaxSize)
		}
	}
	for _, p := range e.Packages {
		if !doublestar.ValidatePattern(p.Name) {
			return fmt.Errorf("packages: name %q is no pattern such as lib*-dev", p.Name)
		}
		if err := (Limits{MaxSize: p.MaxSize}).Check(false); err != nil {
			return fmt.Errorf("packages %s: %w", p, err)
		}
		if p.MaxSize == "" && p.MaxCount == nil || p.MaxCount != nil && *p.MaxCount < 0 {
			return fmt.Errorf("packages %s: set maxSize, or maxCount to 0 or more", p)
		}
	}
	return nil
}

// String names the packages: "deb lib*-dev".
func (p Package) String() string {
	text := strings.TrimSpace(p.Type + " " + p.Name)
	if text == "" {
		return "of all kinds"
	}
	return text
}
