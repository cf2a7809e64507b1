package ls

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/imgmgr/imgmgr/plugin/registry/table"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

func (f *flags) printRows(out ui.Output, rows []Row, now time.Time) error {
	if f.quiet {
		for _, r := range rows {
			if _, err := fmt.Fprintln(out, ui.Plain(r.ref())); err != nil {
				return err
			}
		}
		return nil
	}
	columns := []table.Column[Row]{
		{Title: "TAG", Value: func(r Row) string { return orNone(ui.Plain(r.Tag)) }},
		{Title: "DIGEST", Value: func(r Row) string { return f.digest(r.Digest) }},
		{Title: "PLATFORMS", Value: func(r Row) string { return f.platforms(r) }},
		{Title: "CREATED", Value: func(r Row) string { return ago(r.Created, now) }},
		{Title: "SIZE", Value: func(r Row) string { return r.Size.String() }},
		{Title: "REFERRERS", Value: func(r Row) string { return count(len(r.Referrers)) }},
	}
	for i := range rows {
		if rows[i].Repository != rows[0].Repository {
			columns = append([]table.Column[Row]{{Title: "REPOSITORY", Value: func(r Row) string { return ui.Plain(withoutHost(r.Repository)) }}}, columns...)
			break
		}
	}
	return table.Print(out, f.format, columns, rows)
}

func (f *flags) printSummaries(out ui.Output, rows []Summary, now time.Time) error {
	if f.quiet {
		for _, r := range rows {
			if _, err := fmt.Fprintln(out, ui.Plain(r.Repository)); err != nil {
				return err
			}
		}
		return nil
	}
	return table.Print(out, f.format, []table.Column[Summary]{
		{Title: "REPOSITORY", Value: func(s Summary) string { return ui.Plain(s.Repository) }},
		{Title: "TAGS", Value: func(s Summary) string { return strconv.Itoa(s.Tags) }},
		{Title: "IMAGES", Value: func(s Summary) string { return strconv.Itoa(s.Images) }},
		{Title: "SIZE", Value: func(s Summary) string { return s.Size.String() }},
		{Title: "NEWEST", Value: func(s Summary) string { return ago(s.Newest, now) }},
	}, rows)
}

// ref is how the row is pulled.
func (r Row) ref() string {
	if r.Tag == "" {
		return r.Repository + "@" + r.Digest
	}
	return r.Repository + ":" + r.Tag
}

func (f *flags) digest(digest string) string {
	if _, hex, ok := strings.Cut(digest, ":"); ok && len(hex) > 12 && !f.noTrunc {
		return hex[:12]
	}
	return digest
}

// platforms are the first two, and how many more.
func (f *flags) platforms(r Row) string {
	names := r.Platforms
	if len(names) == 0 {
		return r.Kind
	}
	more := ""
	if len(names) > 2 && !f.noTrunc {
		names, more = names[:2], fmt.Sprintf(" +%d", len(names)-2)
	}
	return ui.Plain(strings.Join(names, ",")) + more
}

func ago(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return units.HumanDuration(now.Sub(t)) + " ago"
}

func count(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func orNone(s string) string {
	if s == "" {
		return "<none>"
	}
	return s
}

// withoutHost leaves room in a table that is about one registry.
func withoutHost(repository string) string {
	_, name, _ := strings.Cut(repository, "/")
	return name
}
