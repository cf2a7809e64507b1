package budget

// object is a node of a JSON schema.
type object = map[string]any

// Schema is the JSON schema (2020-12) of the file, for editors.
func Schema() map[string]any {
	size := object{"type": []string{"string", "integer"}, "description": "bytes: 200MB, 150MiB"}
	share := object{"type": "string", "pattern": "%$", "description": "a share: 95%"}
	list := func(of object) object { return object{"type": "array", "items": of} }
	entry := fields(nil, object{
		"stage": object{"type": "string", "description": "the stage of --target; left away: every image"},
		"total": fields(nil, object{"maxSize": size, "minEfficiency": share,
			"maxWasted": object{"type": []string{"string", "integer"}, "description": "dead bytes: 20MB, or their share of what is shipped: 5%"}}),
		"paths": list(fields([]string{"path", "maxSize"}, object{
			"path": object{"type": "string", "description": "a pattern: usr/share/doc/**"}, "maxSize": size})),
		"packages": list(fields(nil, object{
			"type":     object{"type": "string", "description": "as in a package URL: deb, apk, rpm, npm, pypi, maven, golang; left away: any"},
			"name":     object{"type": "string", "description": "a pattern: lib*-dev; left away: any"},
			"maxSize":  size,
			"maxCount": object{"type": "integer", "minimum": 0, "description": "0 forbids them"}})),
	})
	out := fields([]string{"version", "budgets"}, object{"version": object{"const": 1}, "budgets": list(entry)})
	out["$schema"], out["title"] = "https://json-schema.org/draft/2020-12/schema", FileName
	return out
}

// fields is an object with these properties and no others.
func fields(required []string, properties object) object {
	o := object{"type": "object", "properties": properties, "additionalProperties": false}
	if required != nil {
		o["required"] = required
	}
	return o
}
