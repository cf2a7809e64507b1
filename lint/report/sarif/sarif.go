// Package sarif writes findings in the Static Analysis Results Interchange
// Format, version 2.1.0, for code scanning. It has the parts of the format that
// findings in text files need, and knows nothing of where they come from.
//
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
package sarif

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"strings"
)

// Levels of a [Result].
const (
	Error   = "error"
	Warning = "warning"
	Note    = "note"
)

// Run is what one run of a tool found.
type Run struct {
	Tool        Tool         `json:"tool"`
	Invocations []Invocation `json:"invocations,omitempty"`
	// ColumnKind says what columns count; "unicodeCodePoints" is what
	// lint/report uses.
	ColumnKind string   `json:"columnKind,omitempty"`
	Results    []Result `json:"results"`
}

// Tool is who found it.
type Tool struct {
	Driver Driver `json:"driver"`
}

// Driver is the tool's program with the rules that it found something with.
type Driver struct {
	Name           string `json:"name"`
	InformationURI string `json:"informationUri"`
	Rules          []Rule `json:"rules"`
}

// Rule describes a rule.
type Rule struct {
	ID               string      `json:"id"`
	ShortDescription *Text       `json:"shortDescription,omitempty"`
	FullDescription  *Text       `json:"fullDescription,omitempty"`
	HelpURI          string      `json:"helpUri,omitempty"`
	Default          *Default    `json:"defaultConfiguration,omitempty"`
	Properties       *Properties `json:"properties,omitempty"`
}

// Default is how severe a rule's findings are where nothing else is said.
type Default struct {
	Level string `json:"level"`
}

// Properties are what the format has no field for.
type Properties struct {
	Tags []string `json:"tags,omitempty"`
}

// Invocation says how the run went.
type Invocation struct {
	Successful    bool           `json:"executionSuccessful"`
	Notifications []Notification `json:"toolExecutionNotifications,omitempty"`
}

// Notification is a failure of the run itself.
type Notification struct {
	Level     string     `json:"level"`
	Message   Text       `json:"message"`
	Locations []Location `json:"locations,omitempty"`
}

// Text is a message.
type Text struct {
	Text string `json:"text"`
}

// Result is a finding.
type Result struct {
	RuleID              string            `json:"ruleId"`
	Level               string            `json:"level"`
	Message             Text              `json:"message"`
	Locations           []Location        `json:"locations"`
	PartialFingerprints map[string]string `json:"partialFingerprints,omitempty"`
	Fixes               []Fix             `json:"fixes,omitempty"`
}

// Location is a place in a file.
type Location struct {
	Physical Physical `json:"physicalLocation"`
}

// Physical is a file and, unless it is meant as a whole, the part of it.
type Physical struct {
	Artifact Artifact `json:"artifactLocation"`
	Region   *Region  `json:"region,omitempty"`
}

// Artifact names a file. [At] makes its URI from a path.
type Artifact struct {
	URI string `json:"uri"`
}

// Region is a part of a text. Lines and columns count from 1, and the end
// column is the one behind the last character; without a start column the whole
// lines are meant. An end that is left out is that of the start line.
type Region struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
	EndLine     int `json:"endLine,omitempty"`
	EndColumn   int `json:"endColumn,omitempty"`
}

// Fix is a repair: all its changes, or none.
type Fix struct {
	Description Text     `json:"description"`
	Changes     []Change `json:"artifactChanges"`
}

// Change is what a fix replaces in one file.
type Change struct {
	Artifact     Artifact      `json:"artifactLocation"`
	Replacements []Replacement `json:"replacements"`
}

// Replacement puts a text in place of a region.
type Replacement struct {
	Deleted  Region `json:"deletedRegion"`
	Inserted *Text  `json:"insertedContent,omitempty"`
}

// At is a place in the file at a path of the system. A nil region is the whole
// file.
func At(name string, region *Region) Location {
	return Location{Physical{Artifact{uri(name)}, region}}
}

// uri is a relative reference for a relative path, which is what code scanning
// wants, and a file URI for an absolute one.
func uri(name string) string {
	name = path.Clean(filepath.ToSlash(name))
	u := url.URL{Path: name}
	if drive := len(name) > 2 && name[1] == ':' && name[2] == '/'; drive {
		u.Path = "/" + name
	}
	if strings.HasPrefix(u.Path, "/") {
		u.Scheme = "file"
	}
	return u.String()
}

// Write writes a log of one run, indented. Rules and Results may be nil.
func Write(w io.Writer, run Run) error {
	if run.Tool.Driver.Rules == nil {
		run.Tool.Driver.Rules = []Rule{}
	}
	if run.Results == nil {
		run.Results = []Result{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(struct {
		Schema  string `json:"$schema"`
		Version string `json:"version"`
		Runs    []Run  `json:"runs"`
	}{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []Run{run}})
	if err != nil {
		return fmt.Errorf("write the SARIF log: %w", err)
	}
	return nil
}
