package ecosystem_test

import (
	"testing"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

// TestInert: a program of the project may have the name of a standard tool.
func TestInert(t *testing.T) {
	for script, want := range map[string]string{
		"install a b": "inert", "/usr/bin/install a b": "inert", "A=b": "inert",
		"./install": "", "bin/test": "", "/app/date": "", "../env": "",
		"apt-get update": "system", "/sbin/ldconfig": "system", "./apk": "",
		"make": "", "$X install": "",
	} {
		got := ""
		switch c := command(t, script); {
		case ecosystem.Inert(c):
			got = "inert"
		case ecosystem.System(c):
			got = "system"
		}
		if got != want {
			t.Errorf("%s is %q, want %q", script, got, want)
		}
	}
}
