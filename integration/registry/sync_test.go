//go:build linux

package registry_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	memory "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// equal checks that a repository is a copy of another one, whole and signed.
func equal(t *testing.T, from, to string, signed v1.Hash) {
	t.Helper()
	want, got := digests(t, from), digests(t, to)
	if fmt.Sprint(want) != fmt.Sprint(got) {
		t.Errorf("%s has %v, want %v", to, got, want)
	}
	for tag := range got {
		whole(t, to+":"+tag)
	}
	whole(t, to+":sha256-"+signed.Hex+".sig")
	if n := referrers(t, to+"@"+signed.String()); n != 1 {
		t.Errorf("%s has %d referrers of the signed image, want 1", to, n)
	}
}

// Every kind to every kind, with the referrers API on neither side, or on one.
func TestSync(t *testing.T) {
	modern := func(t *testing.T) string {
		srv := httptest.NewServer(memory.New(memory.WithReferrersSupport(true), memory.Logger(log.New(io.Discard, "", 0))))
		t.Cleanup(srv.Close)
		return strings.TrimPrefix(srv.URL, "http://")
	}
	places := map[string]func(*testing.T) string{
		"3": func(t *testing.T) string { return start(t, 0) }, "2.8": func(t *testing.T) string { return start(t, 1) },
		"zot": func(t *testing.T) string { return start(t, 2) }, "referrers API": modern,
	}
	for _, c := range [][2]string{{"3", "2.8"}, {"2.8", "3"}, {"referrers API", "3"}, {"2.8", "referrers API"}, {"3", "zot"}, {"zot", "2.8"}} {
		t.Run(c[0]+" to "+c[1], func(t *testing.T) {
			u, from := newUser(t), places[c[0]](t)
			to := newProxy(t, places[c[1]](t), nil)
			signed := fill(t, from+"/team/app")
			contains(t, u.run(0, "sync", "--dry-run", from+"/team/app", to.host+"/mirror/app"), "7 to copy; nothing was changed")
			if writes := to.asked("PUT", "POST", "PATCH", "DELETE"); len(writes) > 0 {
				t.Errorf("--dry-run sent %v", writes)
			}
			contains(t, u.run(0, "sync", from+"/team/app", to.host+"/mirror/app"), "7 tags: 7 copied", "2 referrers")
			equal(t, from+"/team/app", to.host+"/mirror/app", signed)
			to.asked()
			contains(t, u.run(0, "sync", from+"/team/app", to.host+"/mirror/app"), "7 tags: 7 same. Sent 0B", "0 referrers")
			if writes := to.asked("PUT", "POST", "PATCH", "DELETE"); len(writes) > 0 {
				t.Errorf("with nothing to do it sent %v", writes)
			}
			// A tag that moves, and what another repository has.
			push(t, image(t, "amd64", "staging"), from+"/team/app:one")
			contains(t, u.run(0, "sync", from+"/team/app", to.host+"/mirror/app"), "7 tags: 1 moved, 6 same")
			signed = fill(t, from+"/team/web")
			must(t, os.WriteFile(filepath.Join(u.home, "sync.yaml"), fmt.Appendf(nil, "version: 1\nsyncs:\n- {from: %s/team, to: %s/a, repositories: [web]}\n- {from: %[1]s/team, to: %[2]s/b, repositories: ['w*'], tags: [multi, 'v*'], semver: '<2'}\n", from, to.host), 0o644))
			to.asked()
			u.run(0, "sync", "--file", filepath.Join(u.home, "sync.yaml"))
			equal(t, from+"/team/web", to.host+"/a/web", signed)
			if got := digests(t, to.host+"/b/web"); len(got) != 2 || got["v1.0.0"] == "" || got["v1.1.0"] == "" {
				t.Errorf("the versions below 2 are %v", got)
			}
			if uploads := uploadsOf(t, to.asked("PUT")); c[1] != "referrers API" && len(slices.Compact(slices.Sorted(slices.Values(uploads)))) != len(uploads) {
				t.Errorf("something was sent twice, and not mounted: %v", uploads)
			}
		})
	}
}

// Whatever goes wrong once, at any request to either side: the copy is whole, or the
// exit code says that it isn't and the next run finishes it.
func TestSyncWithFaults(t *testing.T) {
	u, from, to := newUser(t), start(t, 0), start(t, 0)
	signed := fill(t, from+"/team/app")
	broken := 0
	for i, f := range faults {
		for _, side := range []string{"source", "destination"} {
			for n := 1; n < 80; n += 11 + i { // a few of the requests
				fails := func(got int, w http.ResponseWriter, r *http.Request) bool {
					if got == n {
						f.do(w, r)
					}
					return got == n
				}
				source, target := newProxy(t, from, nil), newProxy(t, to, nil)
				if side == "source" {
					source.answer = fails
				} else {
					target.answer = fails
				}
				t.Setenv("XDG_CACHE_HOME", t.TempDir())
				name := fmt.Sprintf("m/%d-%s-%d", i, side, n)
				args := []string{"sync", "-q", source.host + "/team/app", target.host + "/" + name}
				if out, code := u.try(args...); code != 0 {
					broken++
					if code != 2 {
						t.Errorf("%s at request %d to the %s: exit code %d\n%s", f.name, n, side, code, out)
					}
					source.answer, target.answer = nil, nil
					u.run(0, args...)
				}
				equal(t, from+"/team/app", to+"/"+name, signed)
			}
		}
	}
	if broken == 0 {
		t.Error("no fault broke a run: the test shows too little")
	}
}

func TestSyncDeletesAndGivesBack(t *testing.T) {
	for kind := range kinds {
		t.Run(kinds[kind].name, func(t *testing.T) {
			u, from, to := newUser(t), start(t, 0), start(t, kind)
			fill(t, from+"/team/app")
			u.run(0, "sync", from+"/team/app", to+"/team/app")
			push(t, image(t, "amd64", ""), to+"/team/app:v0.9.0")
			push(t, image(t, "amd64", ""), to+"/team/app:local")
			before := digests(t, to+"/team/app")
			sync := []string{"sync", "--delete", "--tag", "v*", from + "/team/app", to + "/team/app"}
			contains(t, u.run(0, append(sync, "--dry-run")...), "v0.9.0", "sync --delete: not in "+from+"/team/app")
			contains(t, u.run(0, sync...), "Nothing was removed") // nobody said yes
			u.run(0, append(sync, "--force")...)
			if got := digests(t, to+"/team/app"); got["v0.9.0"] != "" || got["local"] == "" || len(got) != len(before)-1 {
				t.Errorf("left is %v", got)
			}
			u.run(0, "prune", "undo")
			if after := digests(t, to+"/team/app"); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("given back is %v, want %v", after, before)
			}
			// A source that has lost its images takes the mirror's with it only when told so.
			push(t, image(t, "amd64", ""), from+"/empty/app:only")
			contains(t, u.run(1, "sync", "--delete", "--force", from+"/empty/app", to+"/team/app"), "left alone")
			if got := digests(t, to+"/team/app"); len(got) != len(before)+1 {
				t.Errorf("a mirror of nine tags is left with %v", got)
			}
		})
	}
}

func TestSyncOfPlatforms(t *testing.T) {
	u, from, to := newUser(t), start(t, 0), start(t, 0)
	fill(t, from+"/team/app")
	contains(t, u.run(0, "sync", "--platform", "linux/arm64", from+"/team/app", to+"/arm/app"), "7 tags: 1 copied, 6 skipped")
	contains(t, u.run(0, "sync", "--platform", "linux/arm64", from+"/team/app", to+"/arm/app"), "7 tags: 1 same, 6 skipped")
	whole(t, to+"/arm/app:multi")
	contains(t, u.run(0, "ls", to+"/arm/app"), "linux/arm64 ")
}
