package retention

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/moby/buildkit/util/suggest"
	"go.yaml.in/yaml/v3"
)

// value is how one kind of YAML value is read, and its JSON schema.
type value struct {
	schema schema
	read   func(*yaml.Node) error
}

type schema map[string]any

// field is one key of a mapping. The tables of fields in parse.go are the whole
// grammar: the reader, the schema and the documentation come from them.
type field struct {
	name     string
	doc      string
	required bool
	value    value
}

// Error is what is wrong with a policy, and where.
type Error struct {
	File         string
	Line, Column int
	Message      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

func wrong(n *yaml.Node, format string, args ...any) error {
	return &Error{Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)}
}

// mapping reads a YAML mapping by its table of fields.
func mapping(fields []field) value {
	properties, required := schema{}, []string{}
	for _, f := range fields {
		s := schema{"description": f.doc}
		for k, v := range f.value.schema {
			s[k] = v
		}
		properties[f.name] = s
		if f.required {
			required = append(required, f.name)
		}
	}
	s := schema{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return value{s, func(n *yaml.Node) error { return readMapping(n, fields) }}
}

func readMapping(n *yaml.Node, fields []field) error {
	if n.Kind != yaml.MappingNode {
		return wrong(n, "want a mapping of %s", names(fields))
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		f, ok := find(fields, key.Value)
		if !ok {
			hint := ""
			if near, ok := suggest.Search(key.Value, fieldNames(fields), true); ok {
				hint = "; did you mean " + near + "?"
			}
			return wrong(key, "there is no field %q here, only %s%s", key.Value, names(fields), hint)
		}
		if seen[key.Value] {
			return wrong(key, "%s is given twice", key.Value)
		}
		seen[key.Value] = true
		if err := f.value.read(resolve(val)); err != nil {
			return err
		}
	}
	for _, f := range fields {
		if f.required && !seen[f.name] {
			return wrong(n, "%s is missing: %s", f.name, f.doc)
		}
	}
	return nil
}

func find(fields []field, name string) (field, bool) {
	for _, f := range fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

func fieldNames(fields []field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.name)
	}
	return out
}

func names(fields []field) string { return strings.Join(fieldNames(fields), ", ") }

// resolve follows a YAML alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// scalar reads one plain value; want says what it should have been.
func scalar(s schema, want string, set func(string) error) value {
	return value{s, func(n *yaml.Node) error {
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			return wrong(n, "want %s", want)
		}
		if err := set(n.Value); err != nil {
			return wrong(n, "%v: want %s", err, want)
		}
		return nil
	}}
}

func text(to *string) value {
	return scalar(schema{"type": "string"}, "a text", func(s string) error { *to = s; return nil })
}

func flag(to *bool) value {
	return scalar(schema{"type": "boolean"}, "true or false", func(s string) error {
		v, ok := map[string]bool{"true": true, "false": false}[s]
		if !ok {
			return fmt.Errorf("%q is neither", s)
		}
		*to = v
		return nil
	})
}

// count reads a number from 0; where yes is given, "true" stands for it.
func count(to *int, yes int) value {
	s, want := schema{"type": "integer", "minimum": 0}, "a number from 0"
	if yes > 0 {
		s, want = schema{"type": []string{"integer", "boolean"}, "minimum": 0}, "a number from 0, true or false"
	}
	return scalar(s, want, func(s string) error {
		if yes > 0 && (s == "true" || s == "false") {
			*to = 0
			if s == "true" {
				*to = yes
			}
			return nil
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return fmt.Errorf("%q is none", s)
		}
		*to = n
		return nil
	})
}

func percent(to *float64) value {
	return scalar(schema{"type": "string", "pattern": `^[0-9]+(\.[0-9]+)?%$`}, "a percentage such as 50%", func(s string) error {
		v, err := ParsePercent(s)
		if err == nil {
			*to = v
		}
		return err
	})
}

// ParsePercent reads "50%" as 0.5.
func ParsePercent(s string) (float64, error) {
	digits, ok := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(digits, 64)
	if !ok || err != nil || v < 0 || v > 100 {
		return 0, fmt.Errorf("%q is not between 0%% and 100%%", s)
	}
	return v / 100, nil
}

func age(to *time.Duration) value {
	return scalar(schema{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(s|m|h|d|w|y))+$`}, "a time such as 12h, 30d, 4w or 1y", func(s string) error {
		d, err := ParseAge(s)
		if err == nil {
			*to = d
		}
		return err
	})
}

// ParseAge reads a duration in seconds, minutes, hours, days, weeks and years of
// 365 days: "90m", "1d12h".
func ParseAge(s string) (time.Duration, error) {
	unit := map[byte]time.Duration{
		's': time.Second, 'm': time.Minute, 'h': time.Hour,
		'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour, 'y': 365 * 24 * time.Hour,
	}
	var total float64
	for rest := s; ; {
		i := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if i <= 0 || unit[rest[i]] == 0 {
			return 0, fmt.Errorf("%q is no length of time", s)
		}
		n, err := strconv.ParseFloat(rest[:i], 64)
		if err != nil {
			return 0, fmt.Errorf("%q is no length of time", s)
		}
		total += n * float64(unit[rest[i]])
		if total >= math.MaxInt64 {
			return 0, fmt.Errorf("%q is too long a time", s)
		}
		if rest = rest[i+1:]; rest == "" {
			return time.Duration(total), nil
		}
	}
}

func size(to *int64) value {
	return scalar(schema{"type": []string{"string", "integer"}}, "a size such as 500MB", func(s string) error {
		v, err := units.FromHumanSize(s)
		if err != nil || v < 0 {
			return fmt.Errorf("%q is no size", s)
		}
		*to = v
		return nil
	})
}

func date(to *time.Time) value {
	return scalar(schema{"type": "string"}, "a time such as 2026-03-01 or 2026-03-01T12:00:00Z", func(s string) error {
		for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
			if t, err := time.Parse(layout, s); err == nil {
				*to = t.UTC()
				return nil
			}
		}
		return fmt.Errorf("%q is no time", s)
	})
}

func oneOf[T ~string](to *T, all ...T) value {
	var list []string
	for _, v := range all {
		list = append(list, string(v))
	}
	return scalar(schema{"enum": list}, strings.Join(list, ", "), func(s string) error {
		for _, v := range all {
			if string(v) == s {
				*to = v
				return nil
			}
		}
		return fmt.Errorf("%q is not known", s)
	})
}

// list reads a YAML list, or one value alone, which is a list of one.
func list(item schema, read func(*yaml.Node) error) value {
	return value{schema{"anyOf": []any{item, schema{"type": "array", "items": item}}}, func(n *yaml.Node) error {
		if n.Kind != yaml.SequenceNode {
			return read(n)
		}
		for _, c := range n.Content {
			if err := read(resolve(c)); err != nil {
				return err
			}
		}
		return nil
	}}
}

func patterns(to *[]Pattern) value {
	v := scalar(schema{"type": "string"}, "a glob, or a regular expression between slashes", func(s string) error {
		p, err := ParsePattern(s)
		*to = append(*to, p)
		return err
	})
	return list(v.schema, v.read)
}

func texts(to *[]string) value {
	v := scalar(schema{"type": "string"}, "a text", func(s string) error { *to = append(*to, s); return nil })
	return list(v.schema, v.read)
}
