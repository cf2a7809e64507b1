//go:build linux

package registry_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestLsInspectAndReport(t *testing.T) {
	for kind := range kinds {
		t.Run(kinds[kind].name, func(t *testing.T) {
			u, host := newUser(t), start(t, kind)
			signed := fill(t, host+"/team/app")
			fill(t, host+"/other/app")

			contains(t, u.run(0, "ls", host), host+"/other/app   7      5 ", host+"/team/app    7      5 ")
			contains(t, u.run(0, "ls", host+"/team/app", "--sort", "size"), "multi", "linux/amd64,linux/arm64", "2 days ago")
			out := u.run(0, "ls", host, "--filter", "repository=team/*", "--filter", "tag=t*", "--format", "{{.Tag}} {{.Digest}} {{len .Referrers}}")
			if want := fmt.Sprintf("three %s 2\ntwo %[1]s 2\n", signed); out != want {
				t.Errorf("printed %q, want %q", out, want)
			}
			var row struct {
				Tag       string
				Size      int64
				Labels    map[string]string
				Referrers []string
			}
			must(t, json.Unmarshal([]byte(u.run(0, "ls", host+"/team/app", "--filter", "tag=one", "--format", "json")), &row))
			if row.Tag != "one" || row.Size < 4000 || row.Labels["environment"] != "development" || len(row.Referrers) != 2 {
				t.Errorf("listed as %+v", row)
			}
			contains(t, u.run(2, "ls", host+"/none"), "has no images")

			out = u.run(0, "inspect", host+"/team/app:one")
			contains(t, out, signed.String(), "linux/amd64  ", "environment=development", "by the tag of its subject sig")
			if n := strings.Count(out, "\nreferrer "); n != 2 {
				t.Errorf("%d referrers in:\n%s", n, out)
			}
			contains(t, u.run(0, "inspect", "--format", "{{range .Platforms}}{{.Platform}} {{end}}", host+"/team/app:multi"), "linux/amd64 linux/arm64 \n")
			contains(t, u.run(2, "inspect", host+"/team/app:none"), "404")

			var report struct {
				TotalImages int `json:"total_images"`
				Teams       []struct{ Name string }
				Images      []struct{ Tag string }
			}
			must(t, json.Unmarshal([]byte(u.run(0, "report", "--format", "json", host)), &report))
			if report.TotalImages != 10 || len(report.Images) != 10 || len(report.Teams) != 2 {
				t.Errorf("reported as %+v", report)
			}
			contains(t, u.run(0, "report", "--format", "html", host), "<!doctype html>", "team/app:one")
			contains(t, u.run(0, "report", "--format", "markdown", host+"/team"), "| team | 5 | 7 |")
		})
	}
}

func TestDoctor(t *testing.T) {
	for kind := range kinds {
		t.Run(kinds[kind].name, func(t *testing.T) {
			u, host := newUser(t), start(t, kind)
			fill(t, host+"/team/app")
			before := digests(t, host+"/team/app")
			out := strings.Join(strings.Fields(u.run(0, "doctor", host)), " ")
			contains(t, out, "mount of blobs yes ok", "undo a delete yes ok", host+"/imgmgr-doctor, and deleted.")
			if kinds[kind].old {
				contains(t, out, "garbage collection distribution 2 danger", "delete a tag no limited", "pages of lists no limited")
			} else {
				contains(t, out, "garbage collection not distribution 2 ok", "delete a tag yes ok", "pages of lists yes ok")
			}
			contains(t, out, "referrers API "+map[bool]string{true: "yes ok", false: "no limited"}[kinds[kind].name == "zot"])
			if left := digests(t, host+"/imgmgr-doctor"); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
			if after := digests(t, host+"/team/app"); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("it changed %v to %v", before, after)
			}

			p := newProxy(t, host, nil)
			contains(t, u.run(0, "doctor", "--read-only", p.host), "Nothing was written")
			if writes := p.asked("PUT", "POST", "PATCH", "DELETE"); len(writes) > 0 {
				t.Errorf("--read-only sent %v", writes)
			}
			p.answer = func(_ int, w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodDelete {
					w.WriteHeader(http.StatusMethodNotAllowed)
				}
				return r.Method == http.MethodDelete
			}
			contains(t, u.run(1, "doctor", p.host), "allow deletes", "Nothing was written", "not fit for prune")
			if writes := p.asked("PUT", "POST", "PATCH"); len(writes) > 0 {
				t.Errorf("to a registry that deletes nothing it sent %v", writes)
			}
		})
	}
}
