package rules

import (
	"fmt"
	"path"
	"slices"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// WrittenUnderVolume finds files that the image holds below a VOLUME and that a
// container may never show.
var WrittenUnderVolume = &lint.Rule{
	Name:     "WrittenUnderVolume",
	Severity: lint.Info,
	Doc: lint.Doc{
		Title: "Files are put below a VOLUME, where a container may not see them",
		Why: `BuildKit keeps what a step writes below a VOLUME; the classic builder throws away what a RUN writes there. Either way a container
gets a volume in that place, and the image's files are copied into one that is empty only: with the volume of an earlier container, or a folder of the
host, the files of a newer image are not seen. What belongs to the program should lie elsewhere, and a VOLUME hold data alone.

The rule looks at COPY, ADD and RUN below a VOLUME of the Dockerfile, and where the base image's configuration is known, below its own. To set owner or mode of the
folder, or to make it, is no finding.`,
		Bad:  file("FROM debian:12\nVOLUME /app\nCOPY server /app/server\n"),
		Good: file("FROM debian:12\nVOLUME /data\nCOPY server /app/server\n"),
	},
	Run: func(p *lint.Pass) error {
		final := p.File.Final(p.Facts.Target)
		if final == nil {
			return nil
		}
		all := newSteps(p)
		for _, st := range final.Lineage() {
			for _, in := range st.Instructions {
				for _, volume := range p.State(in).Volumes {
					if what := all.under(in, volume); what != "" {
						p.Report(lint.Diagnostic{
							Span:    in.Span,
							Message: fmt.Sprintf("%s puts files below the volume %s: a container with a volume of its own there doesn't see them", what, volume),
						})
						break
					}
				}
			}
		}
		return nil
	},
}

// under says what of an instruction writes below a volume; "" where nothing is
// known to.
func (all *steps) under(in *dockerfile.Instruction, volume string) string {
	dest, ok := destination(in)
	if ok = ok && (path.IsAbs(dest) || all.pass.State(in).WorkdirKnown); ok && within(volume, absolute(all.pass, in, dest)) {
		return in.Name
	}
	s := all.of[in]
	if s == nil || s.opaque || all.mounted(s, volume) != nil {
		return ""
	}
	for _, act := range s.on(volume) {
		if slices.Contains([]string{"cp", "mv", "tar", "unzip", "curl", "wget", "git", "install", "rsync", "ln", "tee"}, act.Command.Name()) {
			return act.Command.Name()
		}
	}
	return ""
}
