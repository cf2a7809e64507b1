package budget

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// Limits are what an image is held to; "" is no limit. Sizes are written as
// "200MB" or "150MiB", shares as "5%".
type Limits struct {
	MaxSize       string `yaml:"maxSize"`       // of what the layers ship, uncompressed
	MinEfficiency string `yaml:"minEfficiency"` // a share
	MaxWasted     string `yaml:"maxWasted"`     // dead bytes: a size, or a share of what is shipped
	MaxGrowth     string `yaml:"maxGrowth"`     // against the image that it is compared with: a size or a share
}

// limit is a size or a share.
type limit struct {
	bytes   int64
	share   float64 // of 1
	isShare bool
}

func parseLimit(flag, text string) (limit, error) {
	if number, ok := strings.CutSuffix(text, "%"); ok {
		percent, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || percent < 0 {
			return limit{}, fmt.Errorf("%s %q: write a share as 5%%", flag, text)
		}
		return limit{share: percent / 100, isShare: true}, nil
	}
	parse := units.FromHumanSize
	if strings.Contains(strings.ToLower(text), "ib") {
		parse = units.RAMInBytes
	}
	bytes, err := parse(text)
	if err != nil || bytes < 0 {
		return limit{}, fmt.Errorf("%s %q: write a size as 200MB or 150MiB", flag, text)
	}
	return limit{bytes: bytes}, nil
}

// Check reads the limits, so that a wrong one is found before the image is read.
func (l Limits) Check(compared bool) error {
	for flag, text := range map[string]string{"max-size": l.MaxSize, "min-efficiency": l.MinEfficiency, "max-wasted": l.MaxWasted, "max-growth": l.MaxGrowth} {
		if text == "" {
			continue
		}
		parsed, err := parseLimit(flag, text)
		switch {
		case err != nil:
			return err
		case flag == "min-efficiency" && !parsed.isShare:
			return fmt.Errorf("%s %q: write a share as 95%%", flag, text)
		case flag == "max-size" && parsed.isShare:
			return fmt.Errorf("%s %q: write a size as 200MB or 150MiB", flag, text)
		case flag == "max-growth" && !compared:
			return fmt.Errorf("--%s needs an image to compare with: name it with --compare", flag)
		}
	}
	return nil
}

// Hold holds a report to limits that were checked.
func Hold(r *report.Report, l Limits) { r.Gates = append(r.Gates, l.gates(r)...) }

func (l Limits) gates(r *report.Report) (out []report.Gate) {
	t := r.Totals
	largest := most(r, func(l report.Layer) int64 { return l.Bytes })
	wasteful := most(r, func(l report.Layer) int64 { return l.DeadBytes })
	if l.MaxSize != "" {
		out = append(out, gate("max-size", l.MaxSize, t.ShippedBytes, 0, largest))
	}
	if l.MaxWasted != "" {
		out = append(out, gate("max-wasted", l.MaxWasted, t.DeadBytes, t.ShippedBytes, wasteful))
	}
	if l.MinEfficiency != "" {
		least, _ := parseLimit("", l.MinEfficiency) // checked
		out = append(out, report.Gate{Name: "min-efficiency", Limit: l.MinEfficiency, Value: ui.Percent(t.Efficiency), Layer: wasteful, Passed: t.Efficiency >= least.share})
	}
	if c := r.Comparison; c != nil && l.MaxGrowth != "" {
		out = append(out, gate("max-growth", l.MaxGrowth, c.ShippedBytes, t.ShippedBytes-c.ShippedBytes, largest))
	}
	return out
}

// gate holds a number of bytes to a size, or to a share of a whole.
func gate(name, text string, bytes, whole int64, layer int) report.Gate {
	most, _ := parseLimit(name, text) // checked
	g := report.Gate{Name: name, Limit: text, Value: ui.Size(bytes), Layer: layer, Passed: bytes <= most.bytes}
	if most.isShare {
		share := 0.0
		if whole > 0 {
			share = float64(bytes) / float64(whole)
		}
		g.Value, g.Passed = ui.Percent(share), share <= most.share
	}
	return g
}

// most is the layer with the most bytes of some kind: one of the image's own, if
// it has any.
func most(r *report.Report, bytes func(report.Layer) int64) int {
	best := -1
	for i, l := range r.Layers {
		if best < 0 || r.Layers[best].Base && !l.Base || l.Base == r.Layers[best].Base && bytes(l) > bytes(r.Layers[best]) {
			best = i
		}
	}
	return best
}
