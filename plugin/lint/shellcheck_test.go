package lint_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/plugin/lint"
)

// TestShellCheckForgetsFailures holds that what one caller gave up, and what
// failed once, is asked again for the next.
func TestShellCheckForgetsFailures(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "shellcheck")
	// The first call hangs until it is killed, the second fails, the third works.
	script := "#!/bin/sh\nif mkdir " + dir + "/1 2>/dev/null; then echo > " + dir + "/up; exec sleep 600; fi\n" +
		"if mkdir " + dir + "/2 2>/dev/null; then exit 3; fi\necho '{\"comments\":[]}'\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	checker, err := lint.NewShellCheck(program)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for _, err := os.Stat(filepath.Join(dir, "up")); err != nil && ctx.Err() == nil; _, err = os.Stat(filepath.Join(dir, "up")) {
		}
		cancel()
	}()
	if _, err := checker.ShellCheck(ctx, []string{"a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("given up, it says %v", err)
	}
	if _, err := checker.ShellCheck(t.Context(), []string{"a"}); !errors.Is(err, facts.ErrUnknown) {
		t.Errorf("failed, it says %v", err)
	}
	if _, err := checker.ShellCheck(t.Context(), []string{"a"}); err != nil {
		t.Errorf("healed, it says %v", err)
	}
	if checker.Failed() == nil {
		t.Error("nobody hears of the failure")
	}
}
