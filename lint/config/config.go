// Package config reads the files in which a team says how it wants its
// Dockerfiles to be judged: .imgmgr.yaml, and hadolint's .hadolint.yaml. Both
// become a [File], which gives the [lint.Config] of each Dockerfile.
//
// It reads bytes; the caller finds the file, nearest to the Dockerfile.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v3"

	"github.com/imgmgr/imgmgr/lint"
)

// Names are the file names that are looked for in a folder, in order.
func Names() []string {
	return []string{".imgmgr.yaml", ".imgmgr.yml", ".hadolint.yaml", ".hadolint.yml"}
}

// File is a configuration file.
type File struct {
	lint.Config
	// FailOn is the severity from which findings fail a run; nil where the file
	// doesn't say, and [lint.Off] for never.
	FailOn *lint.Severity
	NoFail bool // no finding fails a run, whatever FailOn says
	// Overrides change the configuration of some Dockerfiles, later ones last.
	Overrides []Override
	// Profiled reports that the file names a profile.
	Profiled bool
}

// Override is what holds for some paths besides.
type Override struct {
	Paths      []string // patterns as in .gitignore's "**", relative to the file's folder
	Severities map[string]lint.Severity
}

// Read reads a configuration file; its name says whose it is.
func Read(name string, data []byte) (*File, error) {
	read := readOwn
	if strings.HasPrefix(strings.TrimPrefix(path.Base(name), "."), "hadolint.") {
		read = readHadolint
	}
	f, err := read(data)
	if err != nil {
		return nil, fmt.Errorf("read the configuration %s: %w", name, err)
	}
	return f, nil
}

// For is the configuration of the Dockerfile at a slash-separated path relative
// to the file's folder, in a profile of the caller's choice or, where that is
// nil, in the file's own.
func (f *File) For(dockerfile string, profile *lint.Profile) lint.Config {
	c := f.Config
	if profile != nil {
		c.Profile = *profile
	}
	if c.Profile == lint.Hadolint {
		c.Codes = severities()
	}
	for _, o := range f.Overrides {
		if !o.matches(dockerfile) {
			continue
		}
		merged := maps.Clone(c.Severities)
		if merged == nil {
			merged = map[string]lint.Severity{}
		}
		maps.Copy(merged, o.Severities)
		c.Severities = merged
	}
	return c
}

func (o Override) matches(dockerfile string) bool {
	for _, pattern := range o.Paths {
		if ok, err := doublestar.Match(pattern, dockerfile); ok && err == nil {
			return true
		}
	}
	return false
}

// ParseSeverity reads "error", "warning", "info", or "off".
func ParseSeverity(name string) (lint.Severity, error) {
	if name == "off" {
		return lint.Off, nil
	}
	s, err := lint.ParseSeverity(name)
	if err != nil {
		return 0, fmt.Errorf("unknown severity %q: use error, warning, info or off", name)
	}
	return s, nil
}

var unknownKey = regexp.MustCompile(`field (\S+) not found in type \S+`)

// decode reads YAML into a struct, and refuses keys that it doesn't have.
func decode(data []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	err := d.Decode(into)
	if errors.Is(err, io.EOF) {
		return nil // an empty file
	}
	if many, ok := errors.AsType[*yaml.TypeError](err); ok {
		return errors.New(unknownKey.ReplaceAllString(many.Errors[0], "there is no key $1"))
	}
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return nil
}
