package format

import (
	"encoding/json"
	"io"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
)

// JSON prints a report for programs. Its names stay, and its lists are there
// when they are empty; see Version.
func JSON(out io.Writer, r *report.Report) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
