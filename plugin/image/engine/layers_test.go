package engine

import (
	"fmt"
	"testing"

	"github.com/moby/moby/api/types/image"
)

func TestLayers(t *testing.T) {
	steps := func(sizes ...int64) (out []image.HistoryResponseItem) {
		for _, size := range sizes {
			out = append(out, image.HistoryResponseItem{Size: size})
		}
		return out
	}
	ids := []string{"a", "b", "c"}
	for name, c := range map[string]struct {
		history []image.HistoryResponseItem // newest first
		total   int64
		want    string
	}{
		"an engine's own store":             {steps(0, 30, 20, 0, 10), 60, "[{a 10} {b 20} {c 30}]"},
		"containerd's, with compressed":     {steps(30, 20, 10), 90, "[{a 15} {b 30} {c 45}]"},
		"what can't be shared evenly":       {steps(30, 20, 10), 91, "[{a 15} {b 30} {c 46}]"},
		"less than its layers":              {steps(30, 20, 10), 0, "[{a 10} {b 20} {c 30}]"},
		"an empty layer that no step shows": {steps(0, 30, 10), 40, "[{a 0} {b 0} {c 40}]"},
	} {
		if got := fmt.Sprint(Layers(ids, c.history, c.total)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
