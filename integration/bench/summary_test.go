//go:build linux

package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// builds are records of one project in one scenario, by arm, with these CPU
// seconds; the wall seconds are twice as many.
func builds(project, scenario string, cpu map[string][]float64) []record {
	var list []record
	for arm, seconds := range cpu {
		for _, s := range seconds {
			list = append(list, record{Project: project, Arm: arm, Scenario: scenario, CPU: s, Wall: 2 * s, Sent: 1500, Image: 3e6})
		}
	}
	return list
}

func measured() []record {
	list := builds("go-ordered", source, map[string][]float64{armUpstream: {40, 44, 400}, armOurs: {2, 2}, armSBOM: {3}, armExpert: {2}})
	list = append(list, builds("go-make", source, map[string][]float64{armUpstream: {40}, armOurs: {42.5}, armExpert: {2}})...)
	list = append(list, builds("go-cached", source, map[string][]float64{armUpstream: {1}, armOurs: {1.1}, armExpert: {1}})...)
	list = append(list, builds(sbomExtra, source, map[string][]float64{armUpstream: {1}, armPlain: {21}, armWhole: {22}, armSBOM: {1.5}})...)
	return append(list, builds(noopExtra, "node-ordered", map[string][]float64{armUpstream: {0.2}, armOurs: {0.21}, armSBOM: {0.3}})...)
}

func TestMedianIsTheMiddleOne(t *testing.T) {
	if got := middle([]float64{9, 1, 2}); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	if got := middle([]int64{4, 1, 2, 100}); got != 3 {
		t.Errorf("got %v, want 3", got)
	}
}

func TestAimsNameWhatMissesThem(t *testing.T) {
	if text := page(about{}, summarize(projects(), nil)); strings.Contains(text, "**Met**") || strings.Count(text, "**Not measured yet") != 5 {
		t.Errorf("without figures:\n%s", text)
	}
	s := summarize(projects(), measured())
	for i, want := range []string{"go-make, source edit: -7 %", "go-make, source edit: 42.5 s against 40.0 s", "imgmgr with SBOM: 200 ms more", "source edit, one scan: 21.0 s against 20.0 s"} {
		if got := s.aims[i].misses; len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("aim %d: misses %q, want one with %q", i, got, want)
		}
	}
}

func TestSpeedupLeavesControlsOut(t *testing.T) {
	for _, table := range summarize(projects(), measured()).tables {
		// 44/2 of go-ordered, 40/42.5 of go-make; go-cached is a control.
		if got := table.speedup(armOurs, cpu); table.scenario == source && (got < 11.4 || got > 11.5) {
			t.Errorf("got %v, want the median of 22 and 0.94", got)
		}
	}
}

func TestPagesShowTheFigures(t *testing.T) {
	about := about{buildkit: "v0.34.2", date: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), cores: 2}
	s := summarize(projects(), measured())
	text := page(about, s)
	for _, want := range []string{"v0.34.2", "| Go, well ordered, no cache mounts | 88.0 (44.0) | 4.0 (2.0) |", "100 %", "**Missed** in 1 of 3", "1.5 kB", "3.0 MB", "| +20, +200 |", "| source edit | 20.0 | 21.0 | 0.5 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	drawing := chart(about, s)
	if !strings.Contains(drawing, "22.0x") || strings.Contains(drawing, "control") {
		t.Errorf("the chart has no speed-up, or it has a control:\n%s", drawing)
	}
	for d := xml.NewDecoder(strings.NewReader(drawing)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the chart is no XML: %v", err)
		}
	}
}

// Each project can be laid out, has an expert's Dockerfile, and takes its edits.
func TestProjectsCanBeEdited(t *testing.T) {
	t.Chdir("../..")
	for _, p := range projects() {
		for _, expert := range []bool{false, true} {
			dir := t.TempDir()
			if err := p.lay(dir, expert); err != nil {
				t.Fatal(err)
			}
			before := map[string][]byte{}
			for _, e := range []edit{p.Source, p.Manifest} {
				if err := e.make(dir, "token", before); err != nil {
					t.Errorf("%s: %v", p.Name, err)
				}
				text, err := os.ReadFile(dir + "/" + e.File)
				if err != nil || !strings.Contains(string(text), "token") {
					t.Errorf("%s: %s was not edited: %v", p.Name, e.File, err)
				}
			}
			if err := appendLabel(dir, "token"); err != nil {
				t.Error(err)
			}
		}
	}
}
