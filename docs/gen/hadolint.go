package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/config"
	"github.com/imgmgr/imgmgr/lint/report"
)

const hadolintHead = `# Coming from hadolint

` + "`docker imgmgr lint --profile=hadolint`" + ` makes hadolint's checks with hadolint's severities, and fails for every finding, as
hadolint does. The nearest ` + "`.hadolint.yaml`" + ` above a Dockerfile is read (where there is no ` + "`.imgmgr.yaml`" + ` in the same folder), and so are
` + "`# hadolint ignore=`, `# hadolint global ignore=` and `# hadolint shell=`" + ` comments. So in CI one line changes:

` + "```console\nhadolint Dockerfile\ndocker imgmgr lint --profile=hadolint Dockerfile\n```" + `

Without the profile, the same codes are rules that know more: the stage that an instruction is in, the base image, the mounts of
a RUN. A code works wherever a rule's name does: in comments, in configurations, and in ` + "`--explain DL3008`" + `.

| key of .hadolint.yaml | |
|---|---|
| ignored, override, trustedRegistries, label-schema, strict-labels, disable-ignore-pragma | as in hadolint; the severity style is info |
| failure-threshold, no-fail | as in hadolint; --fail-on overrides them |
| format, no-color | read and left to --format and the variable NO_COLOR |

## The checks

| code | severity | what it reports | rule here | where it differs on purpose |
|---|---|---|---|---|
`

// hadolintPage says which of our rules makes each of hadolint's checks.
func hadolintPage(rules []*lint.Rule) string {
	var b strings.Builder
	b.WriteString(generated + hadolintHead)
	for _, c := range config.Codes() {
		var names []string
		for _, r := range rules {
			if slices.Contains(r.Aliases, c.Code) {
				names = append(names, fmt.Sprintf("[%s](rules/%s.md)", r.Name, r.Name))
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", c.Code, c.Severity, report.Prose(c.What), strings.Join(names, ", "), report.Prose(c.Differs))
	}
	b.WriteString(`
DL1000, a Dockerfile that can't be parsed, is an error of the file here, with exit code 2. ShellCheck's codes (SCnnnn)
come from the program shellcheck, where it is installed, with the same variables, dialects and exceptions as in hadolint; see
[ShellCheck](rules/ShellCheck.md).
`)
	return b.String()
}
