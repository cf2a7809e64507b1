//go:build linux

package integration_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// TestWhatRulesSayOfBuildKit holds BuildKit to what the documentation of rules says
// that it does.
func TestWhatRulesSayOfBuildKit(t *testing.T) {
	for _, tt := range []struct{ name, lines, fails string }{
		{"a RUN below VOLUME keeps what it writes", "RUN mkdir /data\nVOLUME /data\nRUN echo x >/data/x\nRUN test -f /data/x", ""},
		{"a COPY below VOLUME keeps what it brings", "VOLUME /data\nCOPY small /data/\nRUN test -f /data/small", ""},
		{"a cache mount is root's", "USER 1000\nRUN --mount=type=cache,target=/c1 touch /c1/x", "ermission denied"},
		{"a cache mount with uid= is that user's", "USER 1000\nRUN --mount=type=cache,target=/c2,uid=1000 touch /c2/x", ""},
		{"what COPY brings behind USER is root's", "USER 1000\nCOPY small /app/\nRUN echo >/app/small", "ermission denied"},
		{"so is the folder that COPY makes", "USER 1000\nCOPY small /app/\nRUN touch /app/x", "ermission denied"},
		{"COPY --chown gives both away", "USER 1000\nCOPY --chown=1000 small /app/\nRUN echo >/app/small && touch /app/x", ""},
		{"WORKDIR behind USER is the user's", "USER 1000\nWORKDIR /app\nRUN touch x", ""},
		{"COPY leaves a WORKDIR of the user's as it is", "USER 1000\nWORKDIR /app\nCOPY small ./\nRUN touch x", ""},
		{"and its folders in it are root's", "USER 1000\nWORKDIR /app\nCOPY . ./\nRUN touch sub/x", "ermission denied"},
		{"a variable of the platform tells cache mounts apart", "ARG TARGETPLATFORM\nRUN --mount=type=cache,target=/c3,id=a-$TARGETPLATFORM touch /c3/x\nRUN --mount=type=cache,target=/c3,id=a-other test ! -e /c3/x", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := "FROM debian:bookworm-slim\n" + tt.lines + "\n"
			result, err := sb.Build(t.Context(), sandbox.BuildRequest{Context: partContext(t), Dockerfile: []byte(src)})
			log := ""
			if result != nil {
				for _, v := range result.Vertices {
					log += string(v.Log)
				}
			}
			if (err == nil) != (tt.fails == "") || !strings.Contains(log, tt.fails) {
				t.Errorf("the build ends with %v and says %q", err, log)
			}
		})
	}
}

// TestContextSent holds that BuildKit is sent what is asked for, and all of it
// where the root is, whatever COPY leaves out of that.
func TestContextSent(t *testing.T) {
	for _, tt := range []struct {
		lines string
		all   bool
	}{
		{"COPY small /", false},
		{"COPY sub /sub", false},
		{"COPY sma* /", false},
		{"RUN --mount=type=bind,source=small,target=/s true", false},
		{"COPY . /", true},
		{"COPY --exclude=large . /", true},
		{"RUN --mount=type=bind,target=/s true", true},
	} {
		src := "FROM debian:bookworm-slim\n" + tt.lines + "\n"
		sent := build(t, sandbox.BuildRequest{Context: partContext(t), Dockerfile: []byte(src)}).ContextBytes
		if (sent > 4<<20) != tt.all {
			t.Errorf("%s: %d bytes were sent", tt.lines, sent)
		}
	}
}

// partContext is a context of a small file, a folder with another, and a large one.
func partContext(t *testing.T) string {
	dir := t.TempDir()
	for name, size := range map[string]int{"small": 10, "sub/small": 10, "large": 5 << 20} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(strings.Repeat("x", size)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
