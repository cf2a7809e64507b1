package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// outcome is how each test ended, "pass", "fail" or "skip", by its whole name.
// Only tests without subtests are in it: a subtest's failure is its parent's.
type outcome map[string]string

// readOutcome reads what test2json writes. Lines that are none of its events,
// such as a panic of the test program, are passed over: the tests that they
// cut short have no end, and count as failed.
func readOutcome(r io.Reader) (outcome, error) {
	o := outcome{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var event struct{ Action, Test string }
		if json.Unmarshal(lines.Bytes(), &event) != nil || event.Test == "" {
			continue
		}
		switch event.Action {
		case "run":
			o[event.Test] = "fail"
		case "pass", "fail", "skip":
			o[event.Test] = event.Action
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the log of the tests: %w", err)
	}
	names := slices.Sorted(maps.Keys(o))
	for i, name := range names {
		if i+1 < len(names) && strings.HasPrefix(names[i+1], name+"/") {
			delete(o, name)
		}
	}
	if len(o) == 0 {
		return nil, fmt.Errorf("the test program ran no test: see its log in .cache/upstream")
	}
	return o, nil
}

// count counts the tests that ended so.
func (o outcome) count(how string) (n int) {
	for _, ended := range o {
		if ended == how {
			n++
		}
	}
	return n
}

// function is the test's function, of its whole name:
// TestIntegration/TestWorkdir/worker=oci/frontend=gateway.
func function(test string) string {
	parts := strings.Split(test, "/")
	if len(parts) < 2 {
		return test
	}
	return parts[1]
}

// comparison is what two runs of the suite tell.
type comparison struct {
	ours, upstream outcome
	onlyOurs       []string // fail with our frontend and not with BuildKit's
	onlyUpstream   []string // the other way round
	both           []string // fail with either
	recovered      []string // failed with ours only, and passed when run again
}

func compare(ours, upstream outcome) *comparison {
	c := &comparison{ours: ours, upstream: upstream}
	all := maps.Clone(ours)
	maps.Copy(all, upstream)
	for _, test := range slices.Sorted(maps.Keys(all)) {
		switch bad, expected := ours.failed(test), upstream.failed(test); {
		case bad && expected:
			c.both = append(c.both, test)
		case bad:
			c.onlyOurs = append(c.onlyOurs, test)
		case expected:
			c.onlyUpstream = append(c.onlyUpstream, test)
		}
	}
	return c
}

// failed reports whether a test did not pass: one that never ran, or was
// skipped where the other ran, has not.
func (o outcome) failed(test string) bool { return o[test] != "pass" && o[test] != "skip" }

// settle takes tests that passed in a second run off the list of failures.
func (c *comparison) settle(again outcome) {
	var left []string
	for _, test := range c.onlyOurs {
		if again.failed(test) {
			left = append(left, test)
		} else {
			c.recovered = append(c.recovered, test)
		}
	}
	c.onlyOurs = left
}
