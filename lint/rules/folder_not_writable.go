package rules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/effect"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// FolderNotWritable finds installations into a folder that belongs to root by a
// user who isn't.
var FolderNotWritable = &lint.Rule{
	Name:     "FolderNotWritable",
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "Another user than root installs into a folder of root's",
		Why: `WORKDIR makes a folder for the user of that moment. If that is root and a USER follows, npm ci and its like can't
make node_modules in it ("EACCES: permission denied"). Make the folder behind USER, or give it away: RUN chown app /app.
COPY doesn't help: it leaves a folder that is there as it is, and makes one that isn't for root, unless it has --chown.

Where the folder comes with the base image, its history says who made it.`,
		Bad:  lint.Example{Dockerfile: "FROM node:22\nWORKDIR /app\nUSER node\nCOPY package*.json ./\nRUN npm ci\n", Images: map[string]string{"node:22": `{"config":{}}`}},
		Good: lint.Example{Dockerfile: "FROM node:22\nUSER node\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\n", Images: map[string]string{"node:22": `{"config":{}}`}},
	},
	Run: func(p *lint.Pass) error {
		for _, u := range installs(p) {
			state := p.State(u.in)
			name, _, _ := strings.Cut(state.User, ":")
			if !writesProject(u) || u.use.Dir != "." || !state.WorkdirKnown || movesFolder(u.script) || isRoot(name) || strings.Contains(name, "$") {
				continue
			}
			if how := madeByRoot(p, u.in, state); how != "" && !underMount(p, u, state.Workdir) {
				message := fmt.Sprintf("%s runs as %s and writes into %s, which is root's: %s", u.use.Title, name, state.Workdir, how)
				p.Report(lint.Diagnostic{Span: u.Span, Message: message})
			}
		}
		return nil
	},
}

// writesProject reports an installation that makes something in the project's
// folder.
func writesProject(u install) bool {
	tool := u.use.Tool
	if !u.use.Installs || tool.Manifests == nil || len(u.Wrappers) > 0 {
		return false
	}
	m := tool.Manifests(u.use, ecosystem.Env{})
	return len(m.Outputs) > 0 && !m.Elsewhere
}

// underMount reports that a mount of the RUN holds what is written.
func underMount(p *lint.Pass, u install, folder string) bool {
	return slices.ContainsFunc(mounts(p, u.in), func(m effect.Mount) bool {
		return m.Target == "" || within(folder, m.Target) || within(m.Target, folder)
	})
}

// madeByRoot says how root made the folder that is the working folder at in; ""
// where somebody else may have, or may have got it.
func madeByRoot(p *lint.Pass, in *dockerfile.Instruction, now lint.State) string {
	if now.Workdir == "/" {
		return "it is the root of the file system"
	}
	how := ""
	lineage := ancestry(p, in.Stage)
	if image := lineage[len(lineage)-1].result().Image; image != nil && path.Clean("/"+image.Config.Config.WorkingDir) == now.Workdir {
		how = madeInHistory(image.Config.History, now.Workdir)
		if how == "" {
			return ""
		}
	}
	root := false // where the state doesn't know
	for _, from := range slices.Backward(lineage) {
		p, where := from.pass, from.where()
		for _, o := range from.stage.Instructions {
			if from.stage == in.Stage && o.Span.Start >= in.Span.Start {
				break
			}
			switch o.Name {
			case "USER":
				root = false
			case "WORKDIR":
				before := p.State(o)
				if how == "" && workdirOf(p, o) == now.Workdir {
					if before.UIDKnown && before.UID != 0 || !before.UIDKnown && !root {
						return ""
					}
					how = "WORKDIR" + where + " made it before USER " + now.User
				}
			case "RUN":
				root = root || addsAccount(p.File.Script(o))
				if mayGive(p.File.Script(o), now.Workdir) {
					return ""
				}
			case "COPY", "ADD":
				dest, ok := destination(o)
				if !ok || how != "" || !within(now.Workdir, absolute(p, o, dest)) {
					break
				}
				if _, owned := o.Flag("chown"); owned || !fresh(now.Workdir) {
					return "" // it may be somebody else's
				}
				how = o.Name + where + " made it, which makes folders for root whatever USER says"
			}
		}
	}
	return how
}

// absolute is a destination from the root of the file system.
func absolute(p *lint.Pass, in *dockerfile.Instruction, dest string) string {
	if path.IsAbs(dest) {
		return path.Clean(dest)
	}
	return path.Join("/", p.State(in).Workdir, dest)
}

// workdirOf is the folder that a WORKDIR sets; "" where it isn't known.
func workdirOf(p *lint.Pass, in *dockerfile.Instruction) string {
	after := p.Result(in.Stage)
	if next := following(in); next != nil {
		after = p.State(next)
	}
	if !after.WorkdirKnown {
		return ""
	}
	return after.Workdir
}

// addsAccount reports a script that adds a user or a group, which only root can.
func addsAccount(s *shell.Script) bool {
	return s != nil && s.Err == nil && slices.ContainsFunc(s.Commands(), func(c *shell.Command) bool {
		return len(c.Wrappers) == 0 && slices.Contains([]string{"useradd", "adduser", "groupadd", "addgroup"}, c.Name())
	})
}

// mayGive reports a script that may make the folder, or give it to somebody.
func mayGive(s *shell.Script, folder string) bool {
	if s == nil || s.Err != nil {
		return true
	}
	return slices.ContainsFunc(s.Commands(), func(c *shell.Command) bool {
		switch c.Name() {
		case "chown", "chmod", "install", "mkdir", "useradd", "adduser", "setfacl", "cp", "rsync", "tar":
			return slices.ContainsFunc(c.Args(), func(w shell.Word) bool {
				return !w.Literal || w.Value == "." || strings.HasPrefix(w.Value, folder) || within(w.Value, folder) && path.IsAbs(w.Value)
			})
		}
		return opaque(c)
	})
}

// madeInHistory is madeByRoot for a folder of the base image.
func madeInHistory(history []ocispec.History, folder string) string {
	made := false
	for _, h := range history {
		by := strings.TrimSpace(strings.TrimPrefix(h.CreatedBy, "/bin/sh -c #(nop)"))
		switch {
		case strings.Contains(by, "chown") || strings.Contains(by, "chmod"):
			return ""
		case strings.HasPrefix(by, "USER ") && !made && !isRoot(strings.Fields(by)[1]):
			return "" // the folder came later
		case by == "WORKDIR "+folder:
			made = true
		}
	}
	if made {
		return "the base image made it before its USER"
	}
	return ""
}
