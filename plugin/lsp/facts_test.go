package lsp_test

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
)

// hovers is what the server says of a place.
func (e *editor) hovers(uri string, line, character int) string {
	e.Helper()
	var result struct{ Contents struct{ Value string } }
	e.call("textDocument/hover", object{"textDocument": object{"uri": uri}, "position": at(line, character)}, &result)
	return result.Contents.Value
}

// TestGitHistory: what git says of the files is evidence here, too, and a commit
// counts once something is saved.
func TestGitHistory(t *testing.T) {
	for _, name := range []string{"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"} {
		t.Setenv(name, "a@example.com")
	}
	t.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
	e := session(t, object{}, "--offline")
	text := "FROM node:22@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nWORKDIR /app\nCOPY . .\nRUN npm ci\nUSER 1000\n"
	uri := e.file("Dockerfile", text)
	e.file("package.json", `{"name": "api", "dependencies": {"express": "5.1.0"}}`)
	e.file("package-lock.json", `{"name": "api", "lockfileVersion": 3, "packages": {"": {"name": "api"}, "node_modules/express": {"version": "5.1.0"}}}`)
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir = e.cmd.Dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	commit := func(i int) {
		t.Helper()
		e.file("index.js", strconv.Itoa(i))
		git("add", ".")
		git("commit", "-qm", "x")
	}
	git("init", "-q")
	for i := range 11 {
		commit(i)
	}
	e.open(uri, text)
	if page := e.hovers(uri, 3, 5); !strings.Contains(page, "changed in 11 of the last 11 commits") {
		t.Errorf("the page says nothing of git:\n%s", page)
	}
	commit(11)
	e.notify("textDocument/didSave", object{"textDocument": object{"uri": uri}})
	if page := e.hovers(uri, 3, 5); !strings.Contains(page, "changed in 12 of the last 12 commits") {
		t.Errorf("after another commit the page says\n%s", page)
	}
	if code := e.end(); code != 0 {
		t.Errorf("exit code %d\n%s", code, e.stderr)
	}
}

// TestBaseImages: with --online the registry says who the base image's user is.
func TestBaseImages(t *testing.T) {
	s := imagetest.NewServer(t)
	s.Push(t, "library/app:1")
	for flag, want := range map[string]bool{"--online": false, "--offline": true} {
		e := session(t, object{}, flag, "--registry-mirror", s.Host)
		s.Requests.Store(0)
		text := "FROM app:1\nRUN apt-get update && apt-get install -y curl\n"
		uri := e.file("Dockerfile", text)
		e.open(uri, text)
		e.diagnostics(1)
		if asked := s.Requests.Load() > 0; asked == want {
			t.Errorf("%s: the registry was asked: %v", flag, asked)
		}
		if code := e.end(); code != 0 {
			t.Errorf("exit code %d\n%s", code, e.stderr)
		}
	}
}
