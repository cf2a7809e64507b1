package rules

import (
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// CopyToUnknownFolder finds relative destinations without a WORKDIR.
var CopyToUnknownFolder = &lint.Rule{
	Name:     "CopyToUnknownFolder",
	Aliases:  []string{"DL3045"},
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "COPY to a relative path, and no WORKDIR says where",
		Why: `A relative destination starts at the working folder, which without a WORKDIR is the base image's, or the root of the
file system: "COPY . ." then spreads the sources over / beside /bin and /etc. Set a WORKDIR, or write the whole path.

The rule speaks where the base image is known to have no working folder, or is scratch. The strict profile speaks
wherever the Dockerfile has no WORKDIR.`,
		Bad:  lint.Example{Dockerfile: "FROM alpine:3.20\nCOPY . .\n", Images: map[string]string{"alpine:3.20": `{"config":{}}`}},
		Good: lint.Example{Dockerfile: "FROM alpine:3.20\nWORKDIR /app\nCOPY . .\n", Images: map[string]string{"alpine:3.20": `{"config":{}}`}},
	},
	Run: func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			dest, ok := destination(in)
			if !ok || in.Stage == nil || path.IsAbs(dest) || strings.ContainsAny(dest, `$:\`) || setsWorkdir(p, in) {
				continue
			}
			state := p.State(in)
			switch {
			case state.WorkdirKnown && state.Workdir == "/":
				p.Report(lint.Diagnostic{Span: in.Span, Message: fmt.Sprintf("%s to %s goes to the root of the file system: no WORKDIR says another folder", in.Name, dest)})
			case !state.WorkdirKnown && p.Config().Profile >= lint.Strict:
				p.Report(lint.Diagnostic{Span: in.Span, Message: fmt.Sprintf("%s to %s goes to a folder that the base image decides: no WORKDIR says which", in.Name, dest)})
			}
		}
		return nil
	},
}

// destination is the path that COPY or ADD writes to, as written.
func destination(in *dockerfile.Instruction) (string, bool) {
	switch c := in.Command.(type) {
	case *instructions.CopyCommand:
		return unquote(c.DestPath), true
	case *instructions.AddCommand:
		return unquote(c.DestPath), true
	}
	return "", false
}

// setsWorkdir reports a WORKDIR above in, in its stage or one below.
func setsWorkdir(p *lint.Pass, in *dockerfile.Instruction) bool {
	for _, st := range p.Lineage(in.Stage) {
		for _, o := range st.Instructions {
			if o.Name == "WORKDIR" && (st != in.Stage || o.Span.Start < in.Span.Start) {
				return true
			}
		}
	}
	return false
}
