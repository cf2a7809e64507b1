package prove

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A builder's plain log says of each step, by a number, what it is, and when it is
// done:
//
//	#7 [build 2/4] RUN make
//	#7 DONE 1.2s
var (
	stepLine = regexp.MustCompile(`^#(\d+) (\[[^\]]*\d+/\d+\] .*)$`)
	doneLine = regexp.MustCompile(`^#(\d+) DONE (\d+(?:\.\d+)?)s$`)
	packLine = regexp.MustCompile(`^#\d+ exporting to `)
)

// ran are the steps that a build ran, by its log.
type ran struct {
	names   map[string]string // by number
	seconds map[string]float64
	order   []string
	packing time.Time // when the image began to be written; zero if it wasn't
}

func newRan() *ran { return &ran{names: map[string]string{}, seconds: map[string]float64{}} }

// line takes a line of the log into account, and returns the step that it begins.
func (r *ran) line(line string, now time.Time) (step string) {
	if m := stepLine.FindStringSubmatch(line); m != nil {
		if r.names[m[1]] == "" {
			r.order = append(r.order, m[1])
		}
		r.names[m[1]] = m[2]
		return m[2]
	}
	if m := doneLine.FindStringSubmatch(line); m != nil {
		r.seconds[m[1]], _ = strconv.ParseFloat(m[2], 64) // digits
	}
	if packLine.MatchString(line) && r.packing.IsZero() {
		r.packing = now
	}
	return ""
}

// steps are those that weren't taken from the cache, as they stand in the log. What
// an image starts from is no step.
func (r *ran) steps() []string {
	out := []string{}
	for _, number := range r.order {
		_, text, _ := strings.Cut(r.names[number], "] ")
		if _, done := r.seconds[number]; done && !strings.HasPrefix(text, "FROM ") {
			out = append(out, text)
		}
	}
	return out
}
