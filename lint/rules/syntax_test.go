package rules_test

import (
	"testing"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// TestFixesNeedASyntaxThatIsRead holds fixes to what the file shows of its builder.
func TestFixesNeedASyntaxThatIsRead(t *testing.T) {
	const (
		apt     = "FROM debian\nRUN apt-get update && apt-get install -y x\n"
		npm     = "FROM node\nRUN npm ci\n"
		install = "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm install\n"
		linked  = "FROM golang AS b\nFROM debian\nRUN true\nWORKDIR /app\nCOPY --from=b /x ./\n"
		unknown = "unsafe: nothing in the file shows that its builder knows "
		bring   = ", as # syntax=docker/dockerfile:1 on top would"
	)
	for _, tt := range []struct {
		name string
		rule *lint.Rule
		src  string
		want string
	}{
		{"heredoc", rules.CacheMountMissing, apt, unknown + "heredocs" + bring},
		{"mount", rules.CacheMountMissing, npm, "build-safe"},
		{"exclude", rules.DependenciesAfterSource, install, unknown + "COPY --exclude" + bring},
		{"link", rules.CopyNotLinked, linked, unknown + "COPY --link" + bring},

		{"newest syntax", rules.CacheMountMissing, "# syntax=docker/dockerfile:1\n" + apt, "build-safe"},
		{"whole name", rules.CacheMountMissing, "# syntax=docker.io/docker/dockerfile:1\n" + apt, "build-safe"},
		{"no tag", rules.CacheMountMissing, "# syntax=docker/dockerfile\n" + apt, "build-safe"},
		{"labs", rules.CacheMountMissing, "# syntax=docker/dockerfile:1-labs\n" + apt, "build-safe"},
		{"tag and digest", rules.CacheMountMissing, "# syntax=docker/dockerfile:1.4@sha256:aa\n" + apt, "build-safe"},
		{"digest alone", rules.CacheMountMissing, "# syntax=docker/dockerfile@sha256:aa\n" + apt, unknown + "heredocs" + bring},
		{"ours", rules.CacheMountMissing, "# syntax=ghcr.io/imgmgr/imgmgr-frontend:1 rewrite=all\n" + apt, "build-safe"},
		{"somebody's", rules.CacheMountMissing, "# syntax=corp/frontend:1\n" + apt, unknown + "heredocs" + bring},
		{"1.4", rules.CacheMountMissing, "# syntax=docker/dockerfile:1.4\n" + apt, "build-safe"},
		{"1.3", rules.CacheMountMissing, "# syntax=docker/dockerfile:1.3.1\n" + apt, "no fix: docker/dockerfile:1.3.1 knows no heredocs"},
		{"1.3-labs", rules.CacheMountMissing, "# syntax=docker/dockerfile:1.3-labs\n" + apt, "build-safe"},
		{"1.1", rules.CacheMountMissing, "# syntax=docker/dockerfile:1.1\n" + npm, "no fix: docker/dockerfile:1.1 knows no RUN --mount"},
		{"experimental", rules.CacheMountMissing, "# syntax=docker/dockerfile:experimental\n" + npm, "build-safe"},
		{"experimental heredoc", rules.CacheMountMissing, "# syntax=docker/dockerfile:1.0-experimental\n" + apt, "no fix: docker/dockerfile:1.0-experimental knows no heredocs"},
		{"no exclude in 1.18", rules.DependenciesAfterSource, "# syntax=docker/dockerfile:1.18\n" + install, "no fix: docker/dockerfile:1.18 knows no COPY --exclude"},
		{"exclude in 1.18-labs", rules.DependenciesAfterSource, "# syntax=docker/dockerfile:1.18-labs\n" + install, "build-safe"},

		{"a heredoc is there", rules.CacheMountMissing, apt + "RUN <<E\ntrue\nE\n", "build-safe"},
		{"a linked COPY is there", rules.CacheMountMissing, apt + "COPY --link a /a\n", "build-safe"},
		{"in a trigger", rules.CacheMountMissing, apt + "ONBUILD COPY --link a /a\n", "build-safe"},
		{"what is there is older", rules.CacheMountMissing, apt + "COPY --chmod=644 a /a\n", unknown + "heredocs" + bring},
		{"what is there is older than asked for", rules.DependenciesAfterSource, install + "COPY --link a /a\n", unknown + "COPY --exclude" + bring},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fc := world("package.json", plainPackage, "package-lock.json", plainLock)
			fc.NewestSyntax = false
			if got := verdicts(t, tt.rule, tt.src, fc); got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.src, got, tt.want)
			}
			fc.NewestSyntax = true
			if got := verdicts(t, tt.rule, tt.src, fc); tt.want != "build-safe" && tt.want[:6] == "unsafe" && got != "build-safe" {
				t.Errorf("%s\nread by imgmgr's frontend: %s", tt.src, got)
			}
		})
	}
}
