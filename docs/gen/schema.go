package main

import (
	"bytes"
	"encoding/json"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// schemaPage is the JSON schema of prune's policies, which editors read.
func schemaPage() string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(retention.Schema()); err != nil {
		panic(err) // maps and texts can't fail
	}
	return b.String()
}
