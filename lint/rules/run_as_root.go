package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// RunAsRoot finds images whose process runs as root.
var RunAsRoot = &lint.Rule{
	Name:     "RunAsRoot",
	Aliases:  []string{"DL3002"},
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "The image's process runs as root",
		Why: `A process that is taken over while it runs as root can change everything in the container, and a flaw in the
kernel or a careless mount then reaches the host as root too. Most services need root for nothing once they are
installed.

Only the final stage counts: build stages may be root as they like. Where the Dockerfile has no USER, the base image
decides: many bring a user of their own, and the rule is silent as long as the base image's configuration isn't known. It
is silent, too, where a start script changes the user (gosu, su-exec, setpriv), and where an image only holds files:
built from scratch, without a command.`,
		Bad:  file("FROM alpine:3.20\nRUN adduser -D app\nUSER app\nRUN id\nUSER root\nCMD [\"httpd\", \"-f\"]\n"),
		Good: file("FROM alpine:3.20\nRUN adduser -D app\nUSER app\nCMD [\"httpd\", \"-f\"]\n"),
	},
	Run: runAsRoot,
}

func runAsRoot(p *lint.Pass) error {
	final := p.File.Final(p.Facts.Target)
	if final == nil || dropsRoot(p, final) {
		return nil
	}
	lineage := ancestry(p, final)
	for _, from := range lineage {
		if in := lastUser(from.stage); in != nil {
			span := in.Span
			if from.other {
				span = nameSpan(final)
			}
			if user, ok := from.pass.Expand(in, in.Command.(*instructions.UserCommand).User); ok && isRoot(user) {
				p.Report(lint.Diagnostic{Span: span, Message: fmt.Sprintf("the last USER%s is %s, so the image's process runs as root", from.where(), user)})
			}
			return nil
		}
	}
	bottom := lineage[len(lineage)-1]
	state := bottom.result()
	if state.Scratch {
		if starts(p, final) {
			p.Report(lint.Diagnostic{Span: nameSpan(final), Message: "no USER is set on top of scratch, so the image's process runs as root"})
		}
		return nil
	}
	if state.Image == nil || !isRoot(state.Image.Config.Config.User) || changesUser(state.Image) {
		return nil
	}
	base, _ := bottom.pass.BaseRef(bottom.stage)
	brought := []string{}
	for _, from := range lineage {
		if name := from.pass.File.Name; from.other && !slices.Contains(brought, name) {
			brought = append(brought, name)
		}
	}
	says := "the image's configuration sets no user"
	if user := state.Image.Config.Config.User; user != "" {
		says = "the image's configuration sets user " + user
	}
	p.Report(lint.Diagnostic{
		Span:     nameSpan(final),
		Message:  fmt.Sprintf("neither this Dockerfile nor %s sets a user, so the image's process runs as root", strings.Join(append(brought, base), " nor ")),
		Evidence: []lint.Evidence{{What: base, Says: says}},
	})
	return nil
}

// lastUser is the USER that the stage ends with, its own or inherited.
func lastUser(st *dockerfile.Stage) *dockerfile.Instruction {
	for _, s := range st.Lineage() {
		for _, in := range slices.Backward(s.Instructions) {
			if _, ok := in.Command.(*instructions.UserCommand); ok {
				return in
			}
		}
	}
	return nil
}

// isRoot reads the user part of "user:group".
func isRoot(user string) bool {
	name, _, _ := strings.Cut(user, ":")
	return name == "" || name == "root" || strings.Trim(name, "0") == ""
}

// userChangers are the programs with which start scripts give up root.
var userChangers = []string{"gosu", "su-exec", "setpriv", "s6-setuidgid", "chpst"}

// dropsRoot reports that the Dockerfile brings a program that changes the user
// at start.
func dropsRoot(p *lint.Pass, st *dockerfile.Stage) bool {
	for _, s := range p.Lineage(st) {
		for _, in := range s.Instructions {
			switch in.Name {
			case "RUN", "CMD", "ENTRYPOINT", "COPY", "ADD", "ENV":
				text := in.Span.Of(s.File.Src)
				if slices.ContainsFunc(userChangers, func(name string) bool { return strings.Contains(text, name) }) {
					return true
				}
			}
		}
	}
	return false
}

// changesUser reports that the image brings such a program: official images
// record its version in their environment, or name it in their command.
func changesUser(image *facts.Image) bool {
	c := image.Config.Config
	for _, kv := range slices.Concat(c.Env, c.Entrypoint, c.Cmd) {
		kv = strings.ToLower(strings.ReplaceAll(kv, "_", "-"))
		if slices.ContainsFunc(userChangers, func(name string) bool { return strings.Contains(kv, name) }) {
			return true
		}
	}
	return false
}

// starts reports that the stage says what to run.
func starts(p *lint.Pass, st *dockerfile.Stage) bool {
	for _, s := range p.Lineage(st) {
		for _, in := range s.Instructions {
			if in.Name == "CMD" || in.Name == "ENTRYPOINT" {
				return true
			}
		}
	}
	return false
}

// origin is the stage of the lineage that starts from an image.
func origin(st *dockerfile.Stage) *dockerfile.Stage {
	lineage := st.Lineage()
	return lineage[len(lineage)-1]
}

// nameSpan is the first line of a stage: its FROM.
func nameSpan(st *dockerfile.Stage) edit.Span { return st.From.Span }
