package frontend

import (
	"bytes"
	"context"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// plan is a rewritten Dockerfile and the way back to the one its owner wrote.
type plan struct {
	src, text []byte
	lines     *edit.Map // from text to src; nil for the identity
	applied   []lint.Applied
	// file and fixed are src and text, parsed; nil where nothing is to be named.
	file, fixed *dockerfile.File
}

// plan rewrites the Dockerfile. It returns nil when nothing is to be rewritten,
// or when that failed, which costs a warning.
func (b *build) plan(ctx context.Context) *plan {
	if b.on.Rewrite == lint.RewriteOff || b.file == nil {
		return nil
	}
	var p *plan
	b.guard(ctx, "the Dockerfile is built as written", func() error {
		out, err := b.rewrite(ctx)
		if err != nil || bytes.Equal(out.Src, b.src.Data) {
			return err
		}
		fixed, err := dockerfile.Parse(b.src.Filename, out.Src)
		if err != nil {
			return err
		}
		p = &plan{src: b.src.Data, text: out.Src, lines: out.Map, applied: out.Applied, file: b.file, fixed: fixed}
		return nil
	})
	return p
}

// rewrite makes every fix that is proven to give the same image.
func (b *build) rewrite(ctx context.Context) (*lint.Rewritten, error) {
	return lint.Rewrite(ctx, b.src.Filename, b.src.Data, b.facts(ctx), b.on.Rules(b.rules), lint.BuildSafe)
}
