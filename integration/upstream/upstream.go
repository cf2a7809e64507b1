//go:build linux

// Command upstream runs BuildKit's own Dockerfile tests against our frontend,
// and against BuildKit's own frontend made into an image in the same way. It is
// what `make upstream-suite` runs.
//
// The tests come with BuildKit's module, at the version that ours calls. A
// machine has some that fail with any frontend (stand-in images, missing
// capabilities); so the yardstick is the other run, not an empty list. The exit
// code is 1 when a test fails with our frontend and not with BuildKit's.
//
// Our frontend runs with all rewrites, and without the SBOM that it attaches
// when nobody asks for one: a dozen of the tests count attestations, or take
// the first one for the provenance. Tests that ask for an SBOM get it.
//
//	suite.go    the test program: copied, compiled, run
//	unscanned   our frontend as it is run here
//	mirror.go   the images that its tests build on
//	outcome.go  what the two runs tell (pure)
//	page.go     docs/upstream-suite.md (pure)
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// pagePath is where the result is kept, from the checkout's folder.
const pagePath = "docs/upstream-suite.md"

type options struct {
	run string // a regular expression of tests
}

// arm is one of the two frontends that the suite is run against.
type arm struct {
	name  string // of its log in .cache/upstream
	title string
	image func(context.Context) (string, error)
}

// run reports whether our frontend passes wherever BuildKit's does.
func run(ctx context.Context, opts options, out, progress io.Writer) (bool, error) {
	if _, err := regexp.Compile(opts.run); err != nil {
		return false, fmt.Errorf("read -run: %w", err)
	}
	sb, err := sandbox.Start(ctx, sandbox.Options{Log: progress})
	if err != nil {
		return false, err
	}
	defer sb.Close()
	work, err := os.MkdirTemp("", "imgmgr-suite-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(work)
	s := &suite{sb: sb, work: work, progress: progress}
	if err := s.prepare(ctx); err != nil {
		return false, err
	}
	upstream, err := s.against(ctx, arm{"upstream", "BuildKit's own frontend", sb.UpstreamFrontend}, opts.run)
	if err != nil {
		return false, err
	}
	unscanned := arm{"ours", "our frontend, with all rewrites", s.unscanned}
	ours, err := s.against(ctx, unscanned, opts.run)
	if err != nil {
		return false, err
	}
	c := compare(ours, upstream)
	if len(c.onlyOurs) > 0 {
		// On a busy machine a test may run out of time. What fails again, alone, is real.
		fmt.Fprintf(progress, "... once more, %d that failed with our frontend only\n", len(c.onlyOurs))
		unscanned.name = "ours-again" // names the log, too
		again, err := s.against(ctx, unscanned, alone(c.onlyOurs))
		if err != nil {
			return false, err
		}
		c.settle(again)
	}
	text := page(s.version, time.Now(), c)
	fmt.Fprint(out, text)
	if opts.run == ".+" {
		if err := os.WriteFile(filepath.FromSlash(pagePath), []byte(text), 0o644); err != nil {
			return false, fmt.Errorf("keep the result (run this from the repository's folder): %w", err)
		}
	}
	return len(c.onlyOurs) == 0, nil
}

// alone is the regular expression of just these tests, by their function.
func alone(tests []string) string {
	var names []string
	for _, test := range tests {
		names = append(names, regexp.QuoteMeta(function(test)))
	}
	return "^(" + strings.Join(names, "|") + ")$"
}
