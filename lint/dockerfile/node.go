package dockerfile

import (
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// BuildKit's parser tries a regular expression on every line, which costs as
// much as all the rest of a Dockerfile's reading. So the scanner makes the
// nodes that it would make. Where it can't tell, BuildKit's parser is asked;
// [File.Verify] and the tests hold the nodes against those that it makes.

// makeNode sets Node to what BuildKit makes of the line that holds the
// instruction; places, comments and heredocs are not in the line.
func (in *Instruction) makeNode(keyword, line string) {
	in.Node = &parser.Node{Value: keyword, Original: line, Next: in.argumentNodes()}
	for _, flag := range in.Flags {
		in.Node.Flags = append(in.Node.Flags, flag.word)
	}
	if in.JSON {
		in.Node.Attributes = map[string]bool{"json": true}
	}
}

// argumentNodes is the list of what stands behind keyword and flags.
func (in *Instruction) argumentNodes() *parser.Node {
	if _, known := command.Commands[strings.ToLower(in.Name)]; !known {
		return &parser.Node{}
	}
	if in.Trigger != nil {
		return &parser.Node{Children: []*parser.Node{in.Trigger.Node}}
	}
	var head parser.Node
	last := &head
	for _, value := range in.nodeValues() {
		last.Next = &parser.Node{Value: value}
		last = last.Next
	}
	return head.Next
}

// nodeValues are the arguments as nodes have them: the strings of a JSON array
// decoded, other words with their quotes. A pair of ENV and LABEL is three: its
// name, its value and what is between, where a blank counts as nothing.
func (in *Instruction) nodeValues() []string {
	values := make([]string, 0, 3*len(in.Args))
	for _, w := range in.Args {
		name, value, paired := strings.Cut(w.Raw, "=")
		switch {
		case in.JSON:
			values = append(values, w.Value)
		case paired && in.pairs():
			values = append(values, name, value, "=")
		default:
			values = append(values, w.Raw)
		}
	}
	if in.takesPairs() && !in.pairs() {
		values = append(values, "")
	}
	return values
}

// takesPairs reports whether the arguments are names with values.
func (in *Instruction) takesPairs() bool { return in.Name == "ENV" || in.Name == "LABEL" }

// pairs reports whether they are written as NAME=VALUE, and not in the old form
// of one name and one value.
func (in *Instruction) pairs() bool {
	return in.takesPairs() && (len(in.Args) == 0 || strings.Contains(in.Args[0].Raw, "="))
}

// completeNode adds what isn't in the instruction's line. The comments are those
// since the instruction above.
func (in *Instruction) completeNode(comments []string) {
	n := in.Node
	n.StartLine, n.EndLine, n.PrevComment = in.StartLine, in.EndLine, comments
	for _, h := range in.Heredocs {
		n.Heredocs = append(n.Heredocs, parser.Heredoc{
			Name: h.Name, FileDescriptor: h.FileDescriptor, Expand: h.Expand, Chomp: h.Chomp, Content: h.Content,
		})
	}
}

// adopt takes BuildKit's own node in place of ours.
func (in *Instruction) adopt(n *parser.Node) {
	in.Node = n
	if in.Trigger != nil && n.Next != nil && len(n.Next.Children) > 0 {
		in.Trigger.Node = n.Next.Children[0]
	}
}

// sameNode reports whether two nodes say the same.
func sameNode(a, b *parser.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Value == b.Value && a.Original == b.Original &&
		a.StartLine == b.StartLine && a.EndLine == b.EndLine &&
		slices.Equal(a.Flags, b.Flags) && maps.Equal(a.Attributes, b.Attributes) &&
		slices.Equal(a.PrevComment, b.PrevComment) && slices.Equal(a.Heredocs, b.Heredocs) &&
		slices.EqualFunc(a.Children, b.Children, sameNode) && sameNode(a.Next, b.Next)
}
