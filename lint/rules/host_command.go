package rules

import (
	"fmt"

	"github.com/imgmgr/imgmgr/lint"
)

// HostCommand finds commands that administer a machine.
var HostCommand = &lint.Rule{
	Name:     "HostCommand",
	Aliases:  []string{"DL3001"},
	Severity: lint.Info,
	Profile:  lint.Strict,
	Doc: lint.Doc{
		Title: "Command of a machine's administrator in a RUN",
		Why: `A step of a build has no services, no terminal and no file systems of its own, and its processes end with it: a
service that is started in a RUN doesn't run in the next one, nor in the container. Start it as the container's command.`,
		Bad:  file("FROM debian:bookworm-slim\nRUN service nginx start\n"),
		Good: file("FROM debian:bookworm-slim\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, c := range commands(p) {
			if why := pointless(c.Name()); why != "" {
				p.Report(lint.Diagnostic{Span: c.Span, Message: fmt.Sprintf("%s %s", c.Name(), why)})
			}
		}
		return nil
	},
}

// pointless says why a command does nothing for an image; "" where it may.
func pointless(name string) string {
	switch name {
	case "service", "systemctl", "initctl", "shutdown", "reboot":
		return "changes what runs, and nothing runs on after this RUN"
	case "ssh":
		return "needs a key and a terminal, which a build doesn't have"
	case "vim", "vi", "nano", "top", "htop", "less", "more":
		return "needs a terminal, which a build doesn't have"
	case "ps", "kill", "killall", "free", "ifconfig", "mount", "umount":
		return "concerns this step of the build alone, and nothing of the image"
	}
	return ""
}
