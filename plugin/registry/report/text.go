package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/imgmgr/imgmgr/plugin/ui"
)

// topImages is how many images a report for people names.
const topImages = 10

func writeText(w io.Writer, r *Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintf(t, "%s: %s\n", r.Registry, r.summary())
	for _, g := range r.groups() {
		fmt.Fprintf(t, "\n%s\tIMAGES\tTAGS\tSIZE\tOF ITS OWN\tNEWEST\n", strings.ToUpper(g.title))
		for _, total := range g.totals {
			fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\n", ui.Plain(total.Name), total.Images, total.Tags, ui.Size(total.Size), ui.Size(total.Own), day(total.Newest))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(t, "\nLARGEST IMAGES\tSIZE\tCREATED\n")
	for _, img := range r.Images[:min(len(r.Images), topImages)] {
		fmt.Fprintf(t, "%s\t%s\t%s\n", ui.Plain(r.short(img.Tag)), ui.Size(img.Size), day(img.Created))
	}
	return t.Flush()
}

// summary is the report in one sentence.
func (r *Report) summary() string {
	return fmt.Sprintf("%s with %s in %s, %s on %s", ui.Count(r.TotalImages, "image"), ui.Count(r.TotalTags, "tag"),
		ui.Count(len(r.Repositories), "repository"), ui.Size(r.TotalSize), r.Taken.Format(time.DateOnly))
}

// group is one table of totals.
type group struct {
	title  string
	totals []Total
}

func (r *Report) groups() []group {
	return []group{{"team", r.Teams}, {"environment", r.Environments}, {"repository", r.Repositories}}
}

// short leaves the registry's host out.
func (r *Report) short(ref string) string {
	host, _, _ := strings.Cut(r.Registry, "/")
	return strings.TrimPrefix(ref, host+"/")
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateOnly)
}
