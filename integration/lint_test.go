//go:build linux

package integration_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/rules"
	"github.com/imgmgr/imgmgr/plugin/lint"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// TestShellCheck gives scripts to the real program: each remark comes back to the
// bytes of the Dockerfile that it is about, in the dialect of the image's shell,
// and what it proposes silences it.
func TestShellCheck(t *testing.T) {
	program, err := lint.NewShellCheck("shellcheck")
	if err != nil {
		t.Fatal(err)
	}
	src := `FROM debian:12
ARG version
ENV dir=/x
RUN echo "é" "$version" "$dir" && \
    # a comment
    cd /src; make \
      "$missing"
RUN [ "$dir" == y ]
FROM alpine:3.20
RUN [ "$version" == y ]
RUN <<EOF
#!/bin/bash
# shellcheck disable=SC2164
cd /src
[ "$dir" == y ] && echo ${dir}
EOF
FROM fedora:42
RUN [ "$HOSTNAME" == y ] && cd /y; ls
ONBUILD RUN cd /z; ls
`
	want := []string{
		"SC2164 cd /src", "SC2154 $missing", "SC3014 ==", // dash, with ARG and ENV
		"SC2154 $version",              // busybox, and another stage
		"SC2154 $dir", "SC2086 ${dir}", // bash
		"SC2164 cd /y", "SC2164 cd /z",
	}
	if got := shellCodes(t, src, program); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	only := slices.DeleteFunc(slices.Clone(rules.All), func(r *engine.Rule) bool { return r != rules.ShellCheck })
	fixed, err := engine.Rewrite(t.Context(), "Dockerfile", []byte(src), facts.Context{ShellCheck: program}, engine.Config{Profile: engine.Strict}.Rules(only), engine.Unsafe)
	if err != nil {
		t.Fatal(err)
	}
	left := shellCodes(t, string(fixed.Src), program)
	if want := []string{"SC2154 $missing", "SC3014 ==", "SC2154 $version", "SC2154 $dir"}; !slices.Equal(left, want) {
		t.Errorf("fixed, there is left %q, want %q in\n%s", left, want, fixed.Src)
	}
}

// shellCodes are ShellCheck's findings in the strict profile: the code and the
// bytes.
func shellCodes(t *testing.T, src string, program facts.ShellChecker) []string {
	t.Helper()
	file, err := dockerfile.Parse("Dockerfile", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	found, err := engine.Check(t.Context(), file, facts.Context{ShellCheck: program}, engine.Config{Profile: engine.Strict}.Rules(rules.All))
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, d := range found {
		if d.Rule == rules.ShellCheck.Name {
			codes = append(codes, d.Alias+" "+d.Span.Of(file.Src))
		}
	}
	return codes
}

// TestShellCheckSharesProcesses lints many files, and counts how often the
// program is started.
func TestShellCheckSharesProcesses(t *testing.T) {
	const files = 200
	dir := t.TempDir()
	counted := filepath.Join(dir, "shellcheck")
	script := "#!/bin/sh\necho x >> " + filepath.Join(dir, "starts") + "\nexec shellcheck \"$@\"\n"
	if err := os.WriteFile(counted, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range files {
		text := fmt.Sprintf("FROM debian:12\nRUN cd /src%d; make\n", i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.Dockerfile", i)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	program, err := lint.NewShellCheck(counted)
	if err != nil {
		t.Fatal(err)
	}
	var out, complaints bytes.Buffer
	streams := ui.Streams{Out: ui.Output{Writer: &out}, Err: ui.Output{Writer: &complaints}}
	err = lint.Run(t.Context(), streams, lint.Options{Paths: []string{dir}, Format: lint.Text, Rules: rules.All, ShellCheck: program})
	if exit, ok := errors.AsType[*ui.Exit](err); !ok || exit.Code != ui.Findings {
		t.Fatalf("got %v: %s", err, complaints.String())
	}
	if n := strings.Count(out.String(), "SC2164]"); n != files {
		t.Errorf("%d of %d files have the finding", n, files)
	}
	starts, err := os.ReadFile(filepath.Join(dir, "starts"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(starts, []byte("x")); n > files/4 {
		t.Errorf("%d processes were started for %d files", n, files)
	}
}
