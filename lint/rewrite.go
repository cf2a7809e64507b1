package lint

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// maxRounds bounds the fixpoint. Each round makes the fixes of one rule, so a
// file would need this many dependent fixes to reach it; fixes that undo each
// other do.
const maxRounds = 100

// Rewritten is a Dockerfile after its fixes.
type Rewritten struct {
	Src     []byte
	Map     *edit.Map // leads from Src back to the original
	Applied []Applied // in the order they were made
	// Left are the findings of the rules that could have been fixed but for a
	// missing proof, in the rewritten text, ordered by place.
	Left []Diagnostic
	// Settled are the places in the rewritten text that the rules leave as they
	// are, where the same rule says nothing else of the instruction.
	Settled []Settled
	// Ignoring are the findings in the rewritten text whose fixes are lines for
	// the ignore list, which is the caller's to write. Applied hasn't them.
	Ignoring []Diagnostic
}

// Applied is a fix that was made.
type Applied struct {
	Rule    string
	Message string // of the fix
	Why     string // the finding's message
	Line    int    // of the finding in the original, from 1
	Safety  Safety
	Drops   []string
	// Reorders is the rule's: the history may list steps in another order.
	Reorders bool
	// Rewords is the fix's: the history may show so many steps with other words.
	Rewords int
}

// Drops are the paths that the rewritten image may lack, sorted.
func (r *Rewritten) Drops() []string {
	var drops []string
	for _, a := range r.Applied {
		drops = append(drops, a.Drops...)
	}
	slices.Sort(drops)
	return slices.Compact(drops)
}

// IgnoreLines are the lines that Ignoring wants in the ignore list.
func (r *Rewritten) IgnoreLines() []string {
	var lines []string
	for _, d := range r.Ignoring {
		lines = append(lines, d.Fix.Ignore...)
	}
	return lines
}

// Rewrite makes every fix that is at least as safe as floor, until none is
// left. The rules' order decides which fix is made first; later ones see the
// text that it leaves.
//
// It fails, and nothing is rewritten, when src can't be parsed, when a fix
// leaves a text that can't be, or when fixes undo each other without end.
func Rewrite(ctx context.Context, name string, src []byte, fc facts.Context, rules []*Rule, floor Safety) (*Rewritten, error) {
	if floor <= None {
		return nil, fmt.Errorf("rewrite %s: a fix has to be at least %s", name, Unsafe)
	}
	file, err := parse(name, src)
	if err != nil {
		return nil, err
	}
	fixing := slices.DeleteFunc(slices.Clone(rules), func(r *Rule) bool { return r.Safety < floor })
	out := &Rewritten{Src: src, Map: edit.Identity(src)}
	written := file
	for range maxRounds {
		sh := &shared{written: out.Map}
		rule, fixes, rest, err := nextFixes(ctx, file, fc, fixing, floor, sh)
		if err != nil {
			return nil, err
		}
		if len(fixes) == 0 {
			for _, d := range rest {
				if d.Fix != nil && len(d.Fix.Ignore) > 0 && d.Fix.Safety >= floor {
					out.Ignoring = append(out.Ignoring, d)
				} else {
					out.Left = append(out.Left, d)
				}
			}
			out.settle(written, sh.settled)
			return out, nil
		}
		if file, err = out.apply(file, rule, fixes); err != nil {
			return nil, err
		}
	}
	last := out.Applied[len(out.Applied)-1]
	return nil, fmt.Errorf("rewrite %s: the fixes do not come to an end after %d rounds (the last was %s)", name, maxRounds, last.Rule)
}

// settle keeps what rules say of instructions of the file as written that they
// have said nothing else of.
func (r *Rewritten) settle(written *dockerfile.File, all []Settled) {
	type saying struct {
		rule string
		in   *dockerfile.Instruction
	}
	spoken := map[saying]bool{}
	for _, a := range r.Applied {
		spoken[saying{a.Rule, written.At(written.Lines.Span(a.Line).Start)}] = true
	}
	for _, d := range r.Left {
		spoken[saying{d.Rule, written.At(r.Map.Offset(d.Start))}] = true
	}
	for _, s := range all {
		if !spoken[saying{s.Rule, written.At(r.Map.Offset(s.Start))}] {
			r.Settled = append(r.Settled, s)
		}
	}
	slices.SortStableFunc(r.Settled, func(a, b Settled) int { return cmp.Compare(a.Start, b.Start) })
}

// parse reads a file that is to be changed, or was: BuildKit's parser has to
// read the same.
func parse(name string, src []byte) (*dockerfile.File, error) {
	file, err := dockerfile.Parse(name, src)
	if err != nil {
		return nil, err
	}
	return file, file.Verify()
}

// nextFixes returns the fixes of the first rule that has any, as many as can be
// made together, and what the rules found but may not fix in this text.
func nextFixes(ctx context.Context, file *dockerfile.File, fc facts.Context, rules []*Rule, floor Safety, sh *shared) (first *Rule, fixes, rest []Diagnostic, err error) {
	for _, rule := range rules {
		found, err := run(ctx, file, fc, []*Rule{rule}, sh)
		if err != nil {
			return nil, nil, nil, err
		}
		for _, d := range found {
			switch {
			case d.Fix == nil || d.Fix.Safety < floor || len(d.Fix.Edits) == 0:
				rest = append(rest, d)
			case !slices.ContainsFunc(fixes, func(o Diagnostic) bool { return edit.Conflict(o.Fix.Edits, d.Fix.Edits) }):
				fixes = append(fixes, d)
			}
		}
		if len(fixes) > 0 {
			return rule, fixes, nil, nil
		}
	}
	return nil, nil, rest, nil
}

// apply makes the fixes and parses what they leave.
func (r *Rewritten) apply(file *dockerfile.File, rule *Rule, fixes []Diagnostic) (*dockerfile.File, error) {
	var edits []edit.Edit
	for _, d := range fixes {
		edits = append(edits, d.Fix.Edits...)
		a := r.Made(file, d)
		a.Reorders = rule.Reorders
		r.Applied = append(r.Applied, a)
	}
	src, m, err := r.Map.Apply(r.Src, edits)
	if err != nil {
		return nil, fmt.Errorf("rewrite %s by %s: %w", file.Name, rule.Name, err)
	}
	fixed, err := parse(file.Name, src)
	if err != nil {
		return nil, fmt.Errorf("rewrite %s by %s left a file that does not parse: %w", file.Name, rule.Name, err)
	}
	if in := broken(file, fixed); in != nil {
		return nil, fmt.Errorf("rewrite %s by %s left an instruction that BuildKit refuses: %w", file.Name, rule.Name, in.Err)
	}
	r.Src, r.Map = src, m
	return fixed, nil
}

// Made is a finding in the file, whose text is Src, as one that was fixed.
func (r *Rewritten) Made(file *dockerfile.File, d Diagnostic) Applied {
	return Applied{
		Rule:    d.Rule,
		Message: d.Fix.Message,
		Why:     d.Message,
		Line:    r.Map.Line(file.Lines.Line(d.Start)),
		Safety:  d.Fix.Safety,
		Drops:   d.Fix.Drops,
		Rewords: d.Fix.Rewords,
	}
}

// broken returns an instruction of fixed that BuildKit refuses, where it
// refused none before.
func broken(before, fixed *dockerfile.File) *dockerfile.Instruction {
	refused := func(in *dockerfile.Instruction) bool { return in.Err != nil }
	if slices.ContainsFunc(before.Instructions, refused) {
		return nil
	}
	if i := slices.IndexFunc(fixed.Instructions, refused); i >= 0 {
		return fixed.Instructions[i]
	}
	return nil
}
