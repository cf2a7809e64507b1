package findings

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
)

// configuration finds what the image's configuration makes risky.
func configuration(e *Evidence) []report.Finding {
	c := e.Image.Config.Config
	var out []report.Finding
	add := func(kind, severity, rule, message, remedy string) {
		out = append(out, report.Finding{Kind: kind, Severity: severity, Rule: rule, Layer: -1, Paths: []string{}, Message: message, Remedy: remedy})
	}
	if user, _, _ := strings.Cut(c.User, ":"); user == "" || user == "root" || user == "0" {
		add("root", report.Warning, "RunAsRoot", "the container runs as root", "Add a user and name it with USER")
	}
	if c.Healthcheck == nil {
		add("no-healthcheck", report.Info, "HealthcheckMissing", "nothing tells whether the container works", "Add a HEALTHCHECK, unless the orchestrator has probes of its own")
	}
	for _, env := range c.Env {
		if name, value, _ := strings.Cut(env, "="); secretName.MatchString(name) && value != "" && !path.IsAbs(value) {
			add("secret-in-env", report.Severe, "SecretInArgOrEnv", fmt.Sprintf("the environment variable %s holds a secret, by its name, for everybody who has the image", name), "Take it for known: replace it. Give it to the container when it starts, or to the build with RUN --mount=type=secret")
		}
	}
	for _, volume := range slices.Sorted(maps.Keys(c.Volumes)) {
		if sensitiveMounts[path.Clean(volume)] {
			add("sensitive-volume", report.Warning, "", "the image asks for a volume at "+volume+", which belongs to the system", "Take the VOLUME away")
		}
	}
	return out
}

// secretName is a variable that holds a secret, as a word of its name says. Names of
// files (PASSWORD_FILE) and of public keys are none.
var secretName = regexp.MustCompile(`(?i)(^|_)(password|passwd|secret|token|api_?key|access_?key|private_?key|credentials?)$`)

var sensitiveMounts = map[string]bool{"/": true, "/boot": true, "/dev": true, "/etc": true, "/lib": true, "/proc": true, "/sys": true, "/usr": true}
