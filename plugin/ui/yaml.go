package ui

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// How the YAML reader tells of a key that it doesn't know, and of Go's types.
var (
	unknownField = regexp.MustCompile(`field (\S+) not found in type \S+`)
	goType       = regexp.MustCompile(` into \[?\]?\w+\.\w+`)
	oneLine      = strings.NewReplacer("yaml: ", "", "unmarshal errors:\n  ", "", "\n  ", "; ")
)

// ReadYAML reads a file that users write. Keys that aren't known are errors; an
// error is one line in the user's words. An empty file leaves into as it is.
func ReadYAML(name string, text []byte, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		said := unknownField.ReplaceAllString(oneLine.Replace(err.Error()), "there is no $1")
		return fmt.Errorf("read %s: %s", name, goType.ReplaceAllString(said, ""))
	}
	return nil
}
