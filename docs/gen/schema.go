package main

import (
	"bytes"
	"encoding/json"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/config"
)

// object is a node of a JSON schema.
type object map[string]any

// configSchema is the JSON schema (2020-12) of .imgmgr.yaml.
func configSchema(rules []*lint.Rule) (string, error) {
	text, list := object{"type": "string"}, func(of any) object { return object{"type": "array", "items": of} }
	levels := []string{"error", "warning", "info", "off"}
	names := object{}
	for _, r := range rules {
		names[r.Name] = object{"enum": levels, "description": r.Doc.Title}
	}
	severities := object{
		"type": "object", "description": "Severities of rules, by name or by another linter's code",
		"properties": names, "additionalProperties": false,
		"patternProperties": object{"^(DL|SC)[0-9]+$": object{"enum": levels}},
	}
	override := object{
		"type": "object", "required": []string{"paths", "rules"}, "additionalProperties": false,
		"properties": object{"paths": list(text), "rules": object{"$ref": "#/$defs/rules"}},
	}
	schema := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "docker imgmgr lint",
		"type":    "object", "additionalProperties": false,
		"$defs": object{"rules": severities},
		"properties": object{
			"edition":         object{"enum": editions(), "description": "The set of rules and severities that the file was written for; newer rules say info"},
			"profile":         object{"enum": []string{"recommended", "strict", "all", "hadolint"}, "default": "recommended"},
			"fail-on":         object{"enum": []string{"error", "warning", "info", "never"}, "default": "warning"},
			"rules":           object{"$ref": "#/$defs/rules"},
			"registries":      object{"type": "array", "items": text, "description": "Registries that images may come from; * is a wildcard"},
			"labels":          object{"type": "object", "additionalProperties": object{"enum": config.LabelKinds()}, "description": "Labels that an image has to have, and the kind of their values"},
			"labels-only":     object{"type": "boolean", "description": "Allow no other labels"},
			"ignore-comments": object{"type": "boolean", "default": true, "description": "Let comments keep rules quiet"},
			"overrides":       list(override),
		},
	}
	return schemaText(schema)
}

// editions are all that a configuration can name.
func editions() []int {
	var all []int
	for e := lint.FirstEdition; e <= lint.LatestEdition; e++ {
		all = append(all, e)
	}
	return all
}

// schemaText is a schema as editors read it.
func schemaText(schema any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(schema)
	return b.String(), err
}
