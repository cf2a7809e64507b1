package rules_test

import (
	"context"
	"testing"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// TestCacheMountCleaned plants commands that empty a cache beside those that
// fill it.
func TestCacheMountCleaned(t *testing.T) {
	tests := []struct{ name, dockerfile, want string }{
		{"cleaned", "FROM node\nRUN npm ci && npm cache clean --force\n", "build-safe"},
		{"cleaned, which may fail", "FROM node\nRUN npm ci && npm cache clean\n", "no fix: npm cache clean in the same step would empty it"},
		{"cleaned, or not", "FROM node\nRUN npm ci && npm cache clean -f || true\n", "build-safe"},
		{"cleaned if all failed", "FROM node\nRUN npm ci || npm cache clean -f\n", "no fix: npm cache clean in the same step would empty it"},
		{"cleaned in a condition", "FROM node\nRUN npm ci; if true; then npm cache clean -f; fi\n", "no fix: npm cache clean in the same step would empty it"},
		{"cleaned behind a comment", "FROM node\nRUN npm ci && \\\n# c\n npm cache clean -f\n", "no fix: npm cache clean in the same step would empty it"},
		{"cleaned, of an unofficial image", "FROM corp/node\nRUN npm ci && npm cache clean -f\n", "safe: whether the way to /root/.npm/_cacache is a link in corp/node is not known"},
		{"cleaned after another step's", "FROM node\nRUN --network=none npm ci --cache /x\nRUN npm ci && npm cache clean -f\n", "build-safe"},
		{"cleaned after another step with a mount beside", "FROM node\nRUN --mount=type=cache,target=/root/.npm/_cacache npm i x\nRUN npm ci && npm cache clean -f\n", "build-safe"},
		{"cleaned after a script", "FROM node\nRUN ./setup.sh\nRUN npm ci && npm cache clean -f\n", "safe: setup.sh in an earlier step may leave something for npm cache clean to remove"},
		{"cleaned after a script of the project", "FROM node\nRUN npm run fetch\nRUN npm ci && npm cache clean -f\n", "safe: npm in an earlier step may leave something for npm cache clean to remove"},
		{"cleaned after another install", "FROM node\nRUN sudo npm i x\nRUN npm ci && npm cache clean -f\n", "unsafe: sudo may run the command as another user; safe: npm i in an earlier step leaves something for npm cache clean to remove"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := verdicts(t, rules.CacheMountMissing, tt.dockerfile, world()); got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.dockerfile, got, tt.want)
			}
		})
	}
}

// TestCacheMountTakesCleanersOut: the script goes on, and ends, as it did.
func TestCacheMountTakesCleanersOut(t *testing.T) {
	const mount = "RUN --mount=type=cache,id=imgmgr-npm,target=/root/.npm/_cacache"
	for name, tt := range map[string]struct{ script, want string }{
		"at the end of a list": {"npm ci && npm cache clean --force", "npm ci"},
		"within a list":        {"npm ci && npm cache clean -f && npm test", "npm ci && npm test"},
		"in front":             {"npm cache clean -f && npm ci", "npm ci"},
		"on a line of its own": {"npm ci \\\n && npm cache clean -f \\\n && npm test", "npm ci \\\n && npm test"},
		"behind a semicolon":   {"npm ci; npm cache clean -f; npm test", "npm ci; npm test"},
		// Its success is that of the step.
		"as the last word":  {"npm ci; npm cache clean -f", "npm ci; true"},
		"twice":             {"npm ci && npm cache clean -f && npm i -g x && npm cache clean -f", "npm ci && npm i --prefer-online -g x"},
		"in a heredoc":      {"<<E\nnpm ci\nnpm cache clean -f\nnpm test\nE", "<<E\nnpm ci\nnpm test\nE"},
		"last in a heredoc": {"<<E\nnpm ci\nnpm cache clean -f\nE", "<<E\nnpm ci\ntrue\nE"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := lint.Rewrite(context.Background(), "Dockerfile", []byte("FROM node\nRUN "+tt.script+"\n"), world(), []*lint.Rule{rules.CacheMountMissing}, lint.BuildSafe)
			if err != nil {
				t.Fatal(err)
			}
			if want := "FROM node\n" + mount + " " + tt.want + "\n"; string(out.Src) != want {
				t.Errorf("it became\n%s\nnot\n%s", out.Src, want)
			}
		})
	}
}
