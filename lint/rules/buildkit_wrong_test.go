package rules_test

import (
	"testing"

	"github.com/imgmgr/imgmgr/lint/facts"
	"github.com/imgmgr/imgmgr/lint/rules"
)

// TestWrongOfBuildKit holds what two of BuildKit's checks say without reason,
// and what they are right about beside it.
func TestWrongOfBuildKit(t *testing.T) {
	for _, tt := range []struct {
		line string
		want string
	}{
		{"ENV GPG_KEY 7169605F62C751356D054A26A821E680E5FA6305", ""},
		{"ENV GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305 API_KEY=1", "SecretsUsedInArgOrEnv"},
		{`ENV NGINX_GPGKEY="573B FD6B 3D8F BC64 1079 A6AB ABF5 BD82 7BD9 BF62"`, ""},
		{"ARG JENKINS_GPG_KEY=5E386EADB55F01504CAE8BCF7198F4B714ABFC68", ""},
		{"ENV API_KEY 7169605F62C751356D054A26A821E680E5FA6305", "SecretsUsedInArgOrEnv"},
		{"ENV GPG_KEY=hunter2", "SecretsUsedInArgOrEnv"},
		{"ENV PASSWORD=", ""},
		{`ENV PASSWORD=""`, ""},
		{"ARG PASSWORD=", "SecretsUsedInArgOrEnv"},
		{"ARG GPG_KEY", "SecretsUsedInArgOrEnv"},
		{`WORKDIR C:\\app`, ""},
		{`WORKDIR "C:/Program Files"`, ""},
		{"WORKDIR app", "WorkdirRelativePath"},
		{"WORKDIR c/app", "WorkdirRelativePath"},
	} {
		got := ""
		for _, d := range check(t, "FROM alpine:3.20\n"+tt.line+"\n", facts.Context{}, rules.BuildKit...) {
			if d.Rule == "SecretsUsedInArgOrEnv" || d.Rule == "WorkdirRelativePath" {
				got += d.Rule
			}
		}
		if got != tt.want {
			t.Errorf("%s: found %q, want %q", tt.line, got, tt.want)
		}
	}
}
