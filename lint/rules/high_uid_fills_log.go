package rules

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// HighUIDFillsLog finds users whose number makes a huge file.
var HighUIDFillsLog = &lint.Rule{
	Name:     "HighUIDFillsLog",
	Aliases:  []string{"DL3046"},
	Severity: lint.Warning,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "useradd with a high UID writes a huge lastlog",
		Why: `/var/log/lastlog and /var/log/faillog have a record of some 290 bytes for every number up to the highest user. The
hole in them takes no room on a disk, but a layer is a tar archive: a UID in the hundreds of millions makes a file of
gigabytes to pack, push and unpack (moby/moby#5419). -l, or --no-log-init, leaves the two files alone.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN useradd -u 1234567 app\n"),
		Good: file("FROM debian:bookworm-slim\nRUN useradd -l -u 1234567 app\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			uid := highUID(c)
			if uid == 0 || c.has("-l", "--no-log-init") {
				continue
			}
			d := lint.Diagnostic{Span: c.Span}
			d.Message = fmt.Sprintf("useradd makes lastlog a file of %d MB for UID %d: -l leaves it alone", uid*292/1_000_000, uid)
			if name := c.Words[0]; name.Raw == name.Value {
				d.Fix = &lint.Fix{Message: "Add -l", Safety: lint.Safe, Edits: []edit.Edit{{Span: edit.Span{Start: name.Span.End, End: name.Span.End}, New: " -l"}}}
			}
			p.Report(d)
		}
		return nil
	},
}

// highUID is the number that useradd is given, where it has six digits or more;
// 0 otherwise. A lastlog record has 292 bytes (lastlog(8), struct lastlog).
func highUID(c ran) int {
	if c.Name() != "useradd" {
		return 0
	}
	args := c.Args()
	for i, w := range args {
		name, value, joined := strings.Cut(w.Value, "=")
		switch {
		case (name == "-u" || name == "--uid") && !joined && i+1 < len(args):
			value = args[i+1].Value
		case strings.HasPrefix(w.Value, "-u") && len(w.Value) > 2:
			value = w.Value[2:]
		case name != "--uid":
			continue
		}
		if n, err := strconv.Atoi(value); err == nil && n >= 100_000 {
			return n
		}
	}
	return 0
}
