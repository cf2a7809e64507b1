// Package table prints rows as the Docker CLI does: a table, JSON with one object
// a line, or a Go template, with or without the word "table" before it.
package table

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
	"text/tabwriter"
	"text/template"

	"github.com/docker/cli/templates"

	"github.com/imgmgr/imgmgr/plugin/ui"
)

// Column is one column of the table that is printed where no template is given.
type Column[T any] struct {
	Title string
	Value func(T) string
}

// Bytes is a size that people read as "1.21MB" and programs as a number.
type Bytes int64

func (b Bytes) String() string { return ui.Size(int64(b)) }

// Help says what a --format flag takes.
const Help = "Print rows in this `FORMAT`: table, json (one object a line), or a Go template, as '{{.Digest}}' or 'table {{.Tag}}\\t{{.Size}}'"

// Check reports a format that Print wouldn't take, before anything is fetched.
func Check[T any](format string) error {
	var zero T
	return Print(io.Discard, format, []Column[T]{{"", func(T) string { return "" }}}, []T{zero})
}

// Print prints rows. Templates have the functions of the Docker CLI's.
func Print[T any](w io.Writer, format string, columns []Column[T], rows []T) error {
	switch {
	case format == "" || format == "table":
		return aligned(w, func(w io.Writer) error { return plain(w, columns, rows) })
	case format == "json":
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for _, row := range rows {
			if err := enc.Encode(row); err != nil {
				return fmt.Errorf("print as JSON: %w", err)
			}
		}
		return nil
	}
	text, table := strings.CutPrefix(format, "table ")
	text = unescape.Replace(text)
	tmpl, err := templates.Parse(text + "\n")
	if err != nil {
		return fmt.Errorf("--format %q: %w", format, err)
	}
	if !table {
		return execute(w, tmpl, rows)
	}
	return aligned(w, func(w io.Writer) error {
		head, err := template.New("head").Funcs(templates.HeaderFunctions).Parse(text + "\n")
		if err == nil {
			err = head.Execute(w, titles[T]())
		}
		if err != nil {
			return fmt.Errorf("--format %q: %w", format, err)
		}
		return execute(w, tmpl, rows)
	})
}

// unescape reads what a shell's single quotes leave as it was typed.
var unescape = strings.NewReplacer(`\t`, "\t", `\n`, "\n")

func execute[T any](w io.Writer, tmpl *template.Template, rows []T) error {
	for _, row := range rows {
		if err := tmpl.Execute(w, row); err != nil {
			return fmt.Errorf("--format: %w", err)
		}
	}
	return nil
}

func aligned(w io.Writer, print func(io.Writer) error) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	if err := print(t); err != nil {
		return err
	}
	return t.Flush()
}

func plain[T any](w io.Writer, columns []Column[T], rows []T) error {
	line := func(value func(Column[T]) string) error {
		var cells []string
		for _, c := range columns {
			cells = append(cells, value(c))
		}
		_, err := fmt.Fprintln(w, strings.Join(cells, "\t"))
		return err
	}
	if err := line(func(c Column[T]) string { return c.Title }); err != nil {
		return err
	}
	for _, row := range rows {
		if err := line(func(c Column[T]) string { return c.Value(row) }); err != nil {
			return err
		}
	}
	return nil
}

var wordStart = regexp.MustCompile(`([a-z])([A-Z])`)

// titles are the heads of columns by the names of fields.
func titles[T any]() map[string]string {
	out := map[string]string{}
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		name := t.Field(i).Name
		out[name] = strings.ToUpper(wordStart.ReplaceAllString(name, "$1 $2"))
	}
	return out
}
