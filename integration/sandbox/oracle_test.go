//go:build linux

package sandbox_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/integration/oracle"
	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// The oracle calls two builds of one Dockerfile equal in spite of what apt and
// dpkg log, and sees each of a few wrong rewrites.
func TestOracleOnRealImages(t *testing.T) {
	const original = `FROM debian:bookworm-slim
ENV A=1
ENV B=2
RUN apt-get update && apt-get install -y --no-install-recommends jq
RUN echo kept >/kept && mkdir /cache && echo cached >/cache/file
`
	var reader oracle.Reader
	image := func(tag, dockerfile string, noCache bool) oracle.Image {
		t.Helper()
		ref := shared.Registry + "/test/oracle:" + tag
		build(t, sandbox.BuildRequest{Dockerfile: []byte(dockerfile), Push: ref, NoCache: noCache})
		img, err := reader.Pull(t.Context(), ref, "linux/"+runtime.GOARCH)
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	a, again := image("a", original, true), image("again", original, true)
	if v := oracle.Judge(a, again, image("b", original, true), oracle.Allowed{}); !v.Equal() || v.TotalBytes == 0 {
		t.Errorf("a third build of the same: %s", v)
	} else {
		t.Log(v)
	}
	for name, test := range map[string]struct {
		old, new string
		want     string
	}{
		"a dropped file": {"echo kept >/kept", "true", "/kept missing"},
		"another mode":   {"echo kept >/kept", "echo kept >/kept && chmod 600 /kept", "/kept mode"},
		"swapped ENVs":   {"ENV A=1\nENV B=2", "ENV B=2\nENV A=1", "config.Env[1] setting"},
		"declared drop":  {"&& echo cached >/cache/file", "", ""},
	} {
		b := image("planted", strings.Replace(original, test.old, test.new, 1), false)
		v := oracle.Judge(a, again, b, oracle.Allowed{Drops: []string{"/cache"}})
		found := test.want == "" && v.Dropped.Entries == 1
		for _, d := range v.Differences {
			found = found || d.Path+" "+string(d.Kind) == test.want
		}
		if !found {
			t.Errorf("%s: want %q: %s", name, test.want, v)
		}
	}
}
