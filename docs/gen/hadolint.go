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
| format, no-color, verbose | read and left to --format and the variable NO_COLOR |

The variables HADOLINT_NOFAIL, HADOLINT_FAILURE_THRESHOLD, HADOLINT_OVERRIDE_ERROR (_WARNING, _INFO, _STYLE), HADOLINT_IGNORE,
HADOLINT_STRICT_LABELS, HADOLINT_DISABLE_IGNORE_PRAGMA, HADOLINT_TRUSTED_REGISTRIES and HADOLINT_REQUIRE_LABELS mean in this profile what they
mean to hadolint: lists add to those of the file, other values replace them.

| flag of hadolint | here |
|---|---|
| -c, --config FILE | --config FILE; it is read as hadolint's where its name starts with .hadolint or hadolint |
| -t, --failure-threshold LEVEL; --no-fail | --fail-on LEVEL (style is info, none is never); --fail-on never |
| -f, --format FORMAT | --format text (tty, gnu), json, checkstyle, gitlab (codeclimate, gitlab_codeclimate), sarif or junit |
| --ignore, --error, --warning, --info, --style, --trusted-registry, --require-label, --strict-labels, --disable-ignore-pragma | the variable or the key of the same meaning |
| --no-color | the variable NO_COLOR |
| a text without FROM | --fragment; without it, the text is one that BuildKit refuses |

hadolint looks for its file in the current folder and then in the user's own; here the nearest one above each Dockerfile counts, up to the folder
that holds the repository, and none of the user's, so that a run says the same on every machine.

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
