package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
)

func TestCode(t *testing.T) {
	failure := errors.New("disk is full")
	for _, c := range []struct {
		err  error
		code int
		says string
	}{
		{nil, Clean, ""},
		{failure, Failure, "imgmgr: disk is full\n"},
		{&Exit{Code: Findings}, Findings, ""},
		{&Exit{Code: Findings, Err: failure}, Findings, "imgmgr: disk is full\n"},
		{fmt.Errorf("read layer 3: %w", context.Canceled), Failure, "imgmgr: read layer 3: interrupted\n"},
		{context.Canceled, Failure, "imgmgr: interrupted\n"},
		{fmt.Errorf("lint: %w", &Exit{Code: Findings}), Findings, ""},
	} {
		var out bytes.Buffer
		if code := Code(&out, "imgmgr", c.err); code != c.code || out.String() != c.says {
			t.Errorf("%v: code %d, says %q; want %d, %q", c.err, code, out.String(), c.code, c.says)
		}
	}
}

func TestOutputThatIsNoTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	t.Setenv("COLUMNS", "")
	if o := output(f); o.Color || o.Width != 0 {
		t.Errorf("a file is printed to with colours %v, width %d", o.Color, o.Width)
	}
	t.Setenv("COLUMNS", "72")
	if o := output(f); o.Width != 72 {
		t.Errorf("COLUMNS=72 gives width %d", o.Width)
	}
}

func TestColors(t *testing.T) {
	for _, c := range []struct {
		terminal bool
		env      map[string]string
		want     bool
	}{
		{true, nil, true},
		{false, nil, false},
		{true, map[string]string{"NO_COLOR": "1"}, false},
		{true, map[string]string{"TERM": "dumb"}, false},
		{true, map[string]string{"CLICOLOR": "0"}, false},
		{false, map[string]string{"CLICOLOR_FORCE": "1"}, true},
		{false, map[string]string{"CLICOLOR_FORCE": "1", "TERM": "dumb"}, true},
		{false, map[string]string{"CLICOLOR_FORCE": "0"}, false},
		{true, map[string]string{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, false},
	} {
		if got := colors(c.terminal, func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("terminal %v, %v: colours %v", c.terminal, c.env, got)
		}
	}
}
