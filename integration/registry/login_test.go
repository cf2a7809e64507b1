//go:build linux

package registry_test

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	account  = "robot"
	password = "open-sesame-1001"
	// issued begins all tokens.
	issued = "token-issued-"
)

// secrets are what nobody must read: the password, as it is sent too, and tokens.
var secrets = []string{password, base64.StdEncoding.EncodeToString([]byte(account + ":" + password)), issued}

// wantsBasic lets nobody in without the password.
func wantsBasic(_ int, w http.ResponseWriter, r *http.Request) bool {
	if user, pass, ok := r.BasicAuth(); ok && user == account && pass == password {
		return false
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
	w.WriteHeader(http.StatusUnauthorized)
	return true
}

// tokens are a token server, and a gate that lets each token through so many times.
type tokens struct {
	good int

	mu     sync.Mutex
	issued int
	used   map[string]int
	scopes []string
}

func (s *tokens) answer(n int, w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/token" {
		if wantsBasic(n, w, r) {
			return true
		}
		s.issued++
		s.scopes = append(s.scopes, r.URL.Query()["scope"]...)
		fmt.Fprintf(w, `{"token":"%s%d","expires_in":300}`, issued, s.issued)
		return true
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if ok && s.used[token] < s.good {
		s.used[token]++
		return false
	}
	w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, r.Host))
	w.WriteHeader(http.StatusUnauthorized)
	return true
}

// logIn writes Docker's configuration, with the password in it or with a helper that
// knows it. Neither is in the user's home.
func logIn(t *testing.T, helper bool, pass string, hosts ...string) {
	t.Helper()
	dir := t.TempDir()
	var entries []string
	for _, host := range hosts {
		if helper {
			entries = append(entries, fmt.Sprintf(`%q:"test"`, host))
		} else {
			entries = append(entries, fmt.Sprintf(`%q:{"auth":%q}`, host, base64.StdEncoding.EncodeToString([]byte(account+":"+pass))))
		}
	}
	kind := "auths"
	if helper {
		kind = "credHelpers"
		script := fmt.Sprintf("#!/bin/sh\nread -r server\nprintf '{\"ServerURL\":\"%%s\",\"Username\":%q,\"Secret\":%q}' \"$server\"\n", account, pass)
		must(t, os.WriteFile(filepath.Join(dir, "docker-credential-test"), []byte(script), 0o700))
		t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	}
	must(t, os.WriteFile(filepath.Join(dir, "config.json"), fmt.Appendf(nil, `{%q:{%s}}`, kind, strings.Join(entries, ",")), 0o600))
	t.Setenv("DOCKER_CONFIG", dir)
}

// silent looks for secrets in all that was printed and in every file that was written:
// plans, journals, inventories, the cache.
func silent(t *testing.T, home, printed string) {
	t.Helper()
	files := 0
	look := func(where, text string) {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q", where, secret)
			}
		}
	}
	look("the output", printed)
	must(t, filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		look(path, string(text))
		return err
	}))
	if files < 5 {
		t.Errorf("only %d files were written: that is no proof", files)
	}
}

// everyVerb does what can be done to two registries, and returns all that was printed.
func (u user) everyVerb(from, to string) string {
	u.t.Helper()
	policy, plan, facts := filepath.Join(u.home, "policy.yaml"), filepath.Join(u.home, "plan.json"), filepath.Join(u.home, "facts.json")
	must(u.t, os.WriteFile(policy, []byte("version: 1\nlimits: {share: 100%}\nrules: [{name: all, select: {tag: 'v*'}, max_count: 1}]\n"), 0o600))
	repo, mirror := from+"/team/app", to+"/mirror/app"
	var out strings.Builder
	for _, args := range [][]string{
		{"ls", from}, {"ls", repo}, {"inspect", repo + ":multi"}, {"report", "--format", "json", from}, {"doctor", from},
		{"sync", repo, mirror}, {"rm", "--force", mirror + ":v1.0.0"}, {"prune", "undo"}, {"rm", "--force", mirror + ":v2.0.0"},
		{"sync", "--delete", "--force", mirror, repo},
		{"prune", "--registry", from, "--policy", policy, "--dry-run", "--plan", plan, "--save-inventory", facts},
		{"prune", "apply", "--force", plan}, {"prune", "undo"},
		{"prune", "why", repo + ":v1.0.0", "--registry", from, "--policy", policy},
	} {
		out.WriteString(u.run(0, args...))
	}
	return out.String()
}

func TestLogins(t *testing.T) {
	for _, helper := range []bool{false, true} {
		for name, answer := range map[string]func() func(int, http.ResponseWriter, *http.Request) bool{
			"basic": func() func(int, http.ResponseWriter, *http.Request) bool { return wantsBasic },
			"token": func() func(int, http.ResponseWriter, *http.Request) bool {
				return (&tokens{good: 1 << 30, used: map[string]int{}}).answer
			},
			"expiring token": func() func(int, http.ResponseWriter, *http.Request) bool {
				return (&tokens{good: 7, used: map[string]int{}}).answer
			},
		} {
			t.Run(fmt.Sprintf("%s, helper %t", name, helper), func(t *testing.T) {
				u := newUser(t)
				source, target := start(t, 0), start(t, 0)
				from, to := newProxy(t, source, answer()), newProxy(t, target, answer())
				logIn(t, helper, password, from.host, to.host)
				fill(t, source+"/team/app")
				silent(t, u.home, u.everyVerb(from.host, to.host))
				if got, want := len(digests(t, source+"/team/app")), len(digests(t, target+"/mirror/app")); got != want || got != 6 {
					t.Errorf("there are %d tags, and %d in the mirror", got, want)
				}
			})
		}
	}
}

// A password that isn't right, and none at all: one error, without it.
func TestLoginsThatFail(t *testing.T) {
	for name, answer := range map[string]func(int, http.ResponseWriter, *http.Request) bool{
		"basic": wantsBasic, "token": (&tokens{used: map[string]int{}}).answer,
	} {
		for _, pass := range []string{"wrong-" + password, ""} {
			t.Run(name+" "+pass, func(t *testing.T) {
				u, p := newUser(t), newProxy(t, start(t, 0), answer)
				if pass != "" {
					logIn(t, false, pass, p.host)
				}
				for _, args := range [][]string{{"ls", p.host}, {"inspect", p.host + "/team/app:1"}, {"sync", p.host + "/team/app", p.host + "/mirror"}} {
					out := u.run(2, args...)
					contains(t, out, "401 Unauthorized")
					for _, secret := range secrets {
						if strings.Contains(out, secret) {
							t.Errorf("%v printed %q:\n%s", args, secret, out)
						}
					}
				}
			})
		}
	}
}

// A registry that asks for patience is given what it asks for.
func TestRetryAfterIsObeyed(t *testing.T) {
	u, host := newUser(t), start(t, 0)
	fill(t, host+"/team/app")
	var mu sync.Mutex
	var refused time.Time
	var waits []time.Duration
	p := newProxy(t, host, func(n int, w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasSuffix(r.URL.Path, "/tags/list") {
			if refused.IsZero() {
				refused = time.Now()
				w.Header().Set("Retry-After", "2")
				w.WriteHeader(http.StatusTooManyRequests)
				return true
			}
			waits = append(waits, time.Since(refused))
		}
		return false
	})
	contains(t, u.run(0, "ls", p.host+"/team/app"), "v1.0.0")
	if len(waits) == 0 || waits[0] < 2*time.Second {
		t.Errorf("asked for two seconds, it waited for %v", waits)
	}
}
