package rules

import (
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// ShellReplaced finds another shell that is put in the place of /bin/sh.
var ShellReplaced = &lint.Rule{
	Name:     "ShellReplaced",
	Aliases:  []string{"DL4005"},
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "/bin/sh is replaced by another shell",
		Why: `Every script of the distribution that starts with #!/bin/sh was written for the shell that it has, package scripts
among them, and the next update of that shell's package puts it back. SHELL ["/bin/bash", "-c"] changes the shell of the
RUNs below and nothing else.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN ln -sf /bin/bash /bin/sh\n"),
		Good: file("FROM debian:bookworm-slim\nSHELL [\"/bin/bash\", \"-c\"]\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			args := c.Args()
			if c.Name() != "ln" && c.Name() != "mv" && c.Name() != "cp" || len(args) < 2 {
				continue
			}
			target := args[len(args)-1].Value
			from := args[len(args)-2].Value
			if (target == "/bin/sh" || target == "/usr/bin/sh") && strings.Contains(from, "sh") && !strings.Contains(from, "busybox") {
				p.Report(lint.Diagnostic{Span: c.Span, Message: "this replaces /bin/sh for every program of the image: SHELL changes it for the RUNs alone"})
			}
		}
		return nil
	},
}
