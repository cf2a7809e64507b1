package config

import (
	"fmt"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// hadolint is .hadolint.yaml, by the keys of hadolint 2.15 (its README,
// "Configure").
type hadolint struct {
	Threshold  string   `yaml:"failure-threshold"`
	NoFail     bool     `yaml:"no-fail"`
	Format     string   `yaml:"format"`   // the command line's --format
	NoColor    bool     `yaml:"no-color"` // the variable NO_COLOR
	Ignored    []string `yaml:"ignored"`
	Registries []string `yaml:"trustedRegistries"`
	Override   struct {
		Error   []string `yaml:"error"`
		Warning []string `yaml:"warning"`
		Info    []string `yaml:"info"`
		Style   []string `yaml:"style"`
	} `yaml:"override"`
	Labels     map[string]string `yaml:"label-schema"`
	LabelsOnly bool              `yaml:"strict-labels"`
	Deaf       bool              `yaml:"disable-ignore-pragma"`
}

func readHadolint(data []byte) (*File, error) {
	var y hadolint
	if err := decode(data, &y); err != nil {
		return nil, err
	}
	f := &File{Config: lint.Config{Registries: y.Registries, LabelsOnly: y.LabelsOnly, Deaf: y.Deaf}}
	f.Severities = map[string]lint.Severity{}
	for _, o := range []struct {
		severity lint.Severity
		codes    []string
	}{{lint.Info, y.Override.Style}, {lint.Info, y.Override.Info}, {lint.Warning, y.Override.Warning}, {lint.Error, y.Override.Error}, {lint.Off, y.Ignored}} {
		for _, code := range o.codes {
			f.Severities[strings.ToLower(code)] = o.severity
		}
	}
	for name, kind := range y.Labels {
		if f.Labels == nil {
			f.Labels = map[string]string{}
		}
		if kind == "" || kind == "rawtext" {
			kind = "text"
		}
		f.Labels[name] = kind
	}
	if err := checkLabels(f.Labels); err != nil {
		return nil, err
	}
	var err error
	switch level := y.Threshold; {
	case y.NoFail, level == "none", level == "ignore":
		off := lint.Off
		f.FailOn = &off
	case level == "style":
		f.FailOn, err = threshold("info")
	case level != "":
		if f.FailOn, err = threshold(level); err != nil {
			err = fmt.Errorf("failure-threshold: %w", err)
		}
	}
	return f, err
}
