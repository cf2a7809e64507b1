package rules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/effect"
)

// CopyNotLinked finds the last COPYs of an image, which are made again whenever
// anything below them changes.
//
// --link copies into an empty file system and lays that over the image. Measured
// with BuildKit 0.34 (integration/link_test.go): each folder on the way, that of
// the destination included, gets mode 0755 and the owner of --chown, whatever it had; a link on the way is
// replaced by a folder, and a folder by a file. Nothing else differs, and the
// history says the same.
var CopyNotLinked = &lint.Rule{
	Name:     "CopyNotLinked",
	Severity: lint.Info,
	Safety:   lint.BuildSafe,
	Doc: lint.Doc{
		Title: "Files are copied again when only what lies below them changed",
		Why: `A COPY is a change of the file system below it: with a new base image or another package it is made again, and its layer is
another one to push and to pull. With --link it is a layer of its own, which stays.

The link takes folders on the way as new ones. The frontend adds it by itself only where they are that, or are the same:
on scratch, Alpine, Debian and Ubuntu, in /opt, /srv, /usr/local/bin or a folder that no system has, below a WORKDIR of
root's, where no step above touches them. For files of another stage the fix is offered elsewhere, too, and names what is
missing to the proof; where the link would do harm, as in /bin or /tmp, nothing is said.

--link needs Dockerfile syntax 1.4: outside of the frontend, the fix is safe where the file shows that its builder reads that,
as by "# syntax=docker/dockerfile:1" on top.`,
		Bad: lint.Example{
			Dockerfile: "FROM golang:1.26 AS build\nRUN go install example.com/app@v1\n\nFROM debian:12\nWORKDIR /app\nCOPY --from=build /go/bin/app ./\nCMD [\"./app\"]\n",
			Images:     map[string]string{"debian:12": `{"config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}}`},
		},
		Good: lint.Example{
			Dockerfile: "FROM golang:1.26 AS build\nRUN go install example.com/app@v1\n\nFROM debian:12\nWORKDIR /app\nCOPY --link --from=build /go/bin/app ./\nCMD [\"./app\"]\n",
			Images:     map[string]string{"debian:12": `{"config":{"Env":["PATH=/usr/local/bin:/usr/bin:/bin"]}}`},
		},
	},
	Run: func(p *lint.Pass) error {
		w := newWorlds(p)
		for _, st := range p.File.Stages {
			for _, in := range slices.Backward(st.Instructions) {
				if in.Name == "RUN" || w.continued(st) {
					break // what comes after it is made again anyway
				}
				if c, ok := in.Command.(*instructions.CopyCommand); ok && !c.Link && !c.Parents && c.Chmod == "" {
					w.judgeCopy(in, c)
				}
			}
		}
		return nil
	},
}

// continued reports that another stage starts from this one. Which of them is the
// target doesn't matter: a stage is to be the same for all of them.
func (w *worlds) continued(st *dockerfile.Stage) bool {
	for other, line := range w.lineage {
		if other != st && slices.Contains(line, st) {
			return true
		}
	}
	return false
}

// judgeCopy reports a COPY that could be a layer of its own.
func (w *worlds) judgeCopy(in *dockerfile.Instruction, c *instructions.CopyCommand) {
	dest, ok := w.destination(in)
	owner, known := w.pass.Expand(in, c.Chown)
	if !ok || !known || dest == "/" || strings.Trim(owner, "0123456789:") != "" {
		return // BuildKit refuses names with --link
	}
	base := w.root(in.Stage).Base
	below := w.below(in)
	if base == dockerfile.Scratch && !slices.ContainsFunc(below, func(o *dockerfile.Instruction) bool { return o.Name == "COPY" || o.Name == "ADD" }) {
		return // nothing lies below it
	}
	way := append(folders(dest), dest)
	v := verdict{safety: lint.BuildSafe}
	if w.pass.Facts.Args == nil {
		v.less(lint.Safe, "the arguments of the build are not known")
	}
	if base != dockerfile.Scratch {
		w.base(in, &v)
	}
	if !strings.HasSuffix(c.DestPath, "/") && path.Base(c.DestPath) != "." && slices.ContainsFunc(below, func(o *dockerfile.Instruction) bool { return o.Name == "WORKDIR" && within(dest, w.workdir(o)) }) {
		return // a file would take the place of the folder
	}
	for _, folder := range way {
		w.onTheWay(in, folder, owner, &v)
	}
	for _, other := range below {
		w.beneath(in, other, dest, owner, way, &v)
	}
	if v.blocked != "" || v.safety < lint.Safe && c.From == "" {
		return // it would do harm, or gain little
	}
	at := in.Keyword.End
	w.pass.Report(lint.Diagnostic{
		Span:    in.Span,
		Message: fmt.Sprintf("%s is made again whenever what lies below it changes", quoted(w.pass, in)),
		Fix: &lint.Fix{
			Message: "Make it a layer of its own with --link",
			Safety:  v.safety,
			Doubt:   v.doubt,
			Edits:   []edit.Edit{{Span: edit.Span{Start: at, End: at}, New: " --link", Origin: in.Keyword}},
		},
	})
}

// below are the instructions that made what a step stands on, first to last.
func (w *worlds) below(in *dockerfile.Instruction) []*dockerfile.Instruction {
	var list []*dockerfile.Instruction
	for _, st := range slices.Backward(w.lineage[in.Stage]) {
		for _, other := range st.Instructions {
			if st == in.Stage && other.Span.Start >= in.Span.Start {
				break
			}
			list = append(list, other)
		}
	}
	return list
}

// folders are those above a path, but for the root.
func folders(p string) []string {
	var list []string
	for dir := path.Dir(p); dir != "/"; dir = path.Dir(dir) {
		list = append(list, dir)
	}
	return list
}

// workdir is the folder of a WORKDIR; "" where it isn't known.
func (w *worlds) workdir(in *dockerfile.Instruction) string {
	c, ok := in.Command.(*instructions.WorkdirCommand)
	if !ok {
		return ""
	}
	dir, _ := w.absolute(in, c.Path)
	return dir
}

// shared are folders that every bare system has with mode 0755, or gets so from
// whoever needs them first.
func shared(folder string) bool {
	return slices.Contains([]string{"/opt", "/srv", "/usr", "/usr/local", "/usr/local/bin", "/usr/src"}, folder)
}

// fresh reports a place that no bare system has.
func fresh(p string) bool {
	for _, empty := range []string{"/opt", "/srv", "/usr/local/bin", "/usr/src"} {
		if strings.HasPrefix(p, empty+"/") {
			return true
		}
	}
	top, _, _ := strings.Cut(p[1:], "/")
	return !strings.HasPrefix(top, "lib") && !slices.Contains([]string{
		"bin", "boot", "dev", "etc", "home", "media", "mnt", "opt", "proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var",
	}, top)
}

// bare reports an official image of a system that has nothing in it but that
// system, by the Filesystem Hierarchy Standard. (Of Fedora and its kin, / has
// another mode.)
func bare(ref string) bool {
	name, _, _ := strings.Cut(path.Base(ref), ":")
	return official(ref) && slices.Contains([]string{"alpine", "busybox", "debian", "ubuntu"}, name)
}

// onTheWay judges a place that the base image may have.
func (w *worlds) onTheWay(in *dockerfile.Instruction, folder, owner string, v *verdict) {
	root := w.root(in.Stage)
	ref, _ := w.pass.BaseRef(root)
	switch {
	case ref == dockerfile.Scratch:
	case shared(folder) && !ofRoot(owner):
		v.block("%s would belong to %s", folder, owner)
	case !shared(folder) && !fresh(folder):
		v.block("%s may be a link, or have another mode", folder)
	case !bare(ref):
		v.less(lint.Unsafe, "whether %s is a link, or has another mode or owner, in %s is not known", folder, root.Base)
	}
}

func ofRoot(owner string) bool { return strings.Trim(owner, "0:") == "" }

// beneath judges what an instruction below the COPY did to the folders on its
// way.
func (w *worlds) beneath(in, other *dockerfile.Instruction, dest, owner string, way []string, v *verdict) {
	switch other.Name {
	case "WORKDIR":
		dir, state := w.workdir(other), w.pass.State(other)
		ours := slices.ContainsFunc(way, func(folder string) bool { return within(folder, dir) && !shared(folder) })
		if dir == "" || ours && !(ofRoot(owner) && state.UIDKnown && state.UID == 0) {
			v.block("%s and the COPY make a folder for different users", quoted(w.pass, other))
		}
	case "COPY", "ADD":
		there, ok := w.destination(other)
		flag, _ := other.Flag("chown")
		_, mode := other.Flag("chmod")
		makes := slices.ContainsFunc(way, func(folder string) bool { return within(folder, there) && !shared(folder) })
		if !ok || related(there, dest) || makes && (mode || flag.Value != "" && flag.Value != owner || flag.Value == "" && !ofRoot(owner)) {
			v.less(lint.Unsafe, "what %s makes on the way to %s is not known", quoted(w.pass, other), dest)
		}
	case "VOLUME", "RUN":
		if o := effect.Between(w.effect(in), w.effect(other)); o != nil {
			v.less(lint.Unsafe, "%s", o.Says)
		}
	}
}
