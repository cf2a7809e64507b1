package report

import (
	"reflect"
	"strings"
)

// object is a node of a JSON schema.
type object = map[string]any

// Schema is the JSON schema (2020-12) of reports, by their types: names, which of
// them are always there, and the words that a field can have (its tag "enum").
// Other names may come without a new Version, so they aren't forbidden.
func Schema() map[string]any {
	s := schemaOf(reflect.TypeFor[Report]())
	s["$schema"], s["title"] = "https://json-schema.org/draft/2020-12/schema", "docker imgmgr analyze --format json"
	s["properties"].(object)["version"] = object{"const": Version}
	return s
}

func schemaOf(t reflect.Type) object {
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Slice:
		return object{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Struct:
		return fields(t)
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float64:
		return object{"type": "number"}
	default:
		return object{"type": "integer"}
	}
}

func fields(t reflect.Type) object {
	properties, required := object{}, []string{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if properties[name] = schemaOf(f.Type); options != "omitempty" {
			required = append(required, name)
		}
		if words, ok := f.Tag.Lookup("enum"); ok {
			properties[name] = object{"enum": strings.Split(words, ",")}
		}
	}
	return object{"type": "object", "properties": properties, "required": required}
}
