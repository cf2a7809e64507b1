package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/imgmgr/imgmgr/lint"
)

// hadolint is .hadolint.yaml, by the keys of hadolint 2.15 (its README,
// "Configure"), or what its variables say.
type hadolint struct {
	Threshold  string       `yaml:"failure-threshold"`
	NoFail     *bool        `yaml:"no-fail"`
	Format     string       `yaml:"format"`   // the command line's --format
	NoColor    bool         `yaml:"no-color"` // the variable NO_COLOR
	Verbose    bool         `yaml:"verbose"`
	Ignored    []string     `yaml:"ignored"`
	Registries oneOrSeveral `yaml:"trustedRegistries"`
	Override   struct {
		Error   []string `yaml:"error"`
		Warning []string `yaml:"warning"`
		Info    []string `yaml:"info"`
		Style   []string `yaml:"style"`
	} `yaml:"override"`
	Labels     map[string]string `yaml:"label-schema"`
	LabelsOnly *bool             `yaml:"strict-labels"`
	Deaf       *bool             `yaml:"disable-ignore-pragma"`
}

// oneOrSeveral is a list that may be written as its only element.
type oneOrSeveral []string

// UnmarshalYAML reads a string or a list of strings.
func (l *oneOrSeveral) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*l = oneOrSeveral{node.Value}
		return nil
	}
	return node.Decode((*[]string)(l))
}

func readHadolint(data []byte) (*File, error) {
	var y hadolint
	if err := decode(data, &y); err != nil {
		return nil, err
	}
	f := &File{}
	return f, y.into(f)
}

// into adds what y says to a configuration, and over it.
func (y hadolint) into(f *File) error {
	for _, o := range []struct {
		severity lint.Severity
		codes    []string
	}{{lint.Info, y.Override.Style}, {lint.Info, y.Override.Info}, {lint.Warning, y.Override.Warning}, {lint.Error, y.Override.Error}, {lint.Off, y.Ignored}} {
		for _, code := range o.codes {
			if f.Severities == nil {
				f.Severities = map[string]lint.Severity{}
			}
			f.Severities[strings.ToLower(code)] = o.severity
		}
	}
	f.Registries = append(f.Registries, y.Registries...)
	for name, kind := range y.Labels {
		if f.Labels == nil {
			f.Labels = map[string]string{}
		}
		if kind == "" || kind == "rawtext" {
			kind = "text"
		}
		f.Labels[name] = kind
	}
	for _, s := range []struct{ said, to *bool }{{y.NoFail, &f.NoFail}, {y.LabelsOnly, &f.LabelsOnly}, {y.Deaf, &f.Deaf}} {
		if s.said != nil {
			*s.to = *s.said
		}
	}
	if err := checkLabels(f.Labels); err != nil {
		return err
	}
	level := y.Threshold
	switch level {
	case "":
		return nil
	case "style":
		level = "info"
	case "none", "ignore":
		level = "off"
	}
	var err error
	if f.FailOn, err = threshold(level); err != nil {
		return fmt.Errorf("failure-threshold: %w", err)
	}
	return nil
}
