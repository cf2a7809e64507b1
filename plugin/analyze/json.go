package analyze

import (
	"encoding/json"
	"io"
)

// JSON prints a report for programs. Its names stay, and its lists are there
// when they are empty; see Version.
func (r *Report) JSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
