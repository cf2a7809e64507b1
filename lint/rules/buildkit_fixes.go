package rules

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/buildkit"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// buildKitFix repairs what a check of BuildKit's says of an instruction; nil
// where that isn't mechanical. The rule's own safety is the fix's.
type buildKitFix func(f *dockerfile.File, in *dockerfile.Instruction, w buildkit.Warning) *lint.Fix

// replace is a fix of one edit.
func replace(message string, at edit.Span, with string) *lint.Fix {
	return &lint.Fix{Message: message, Edits: []edit.Edit{{Span: at, New: with}}}
}

// lowerStageName: BuildKit compares names of stages in lower case.
func lowerStageName(f *dockerfile.File, in *dockerfile.Instruction, _ buildkit.Warning) *lint.Fix {
	if len(in.Args) != 3 || f.Text(in.Args[2].Span) != in.Args[2].Raw {
		return nil
	}
	return replace("Write the name in lower case", in.Args[2].Span, strings.ToLower(in.Args[2].Raw))
}

func matchAs(f *dockerfile.File, in *dockerfile.Instruction, _ buildkit.Warning) *lint.Fix {
	if len(in.Args) != 3 || !strings.EqualFold(f.Text(in.Args[1].Span), "as") {
		return nil
	}
	word := "AS"
	if f.Text(in.Keyword) == "from" {
		word = "as"
	}
	return replace("Write "+word, in.Args[1].Span, word)
}

// matchMajority takes the case from the warning, which names it.
func matchMajority(_ *dockerfile.File, in *dockerfile.Instruction, w buildkit.Warning) *lint.Fix {
	word := in.Name
	if strings.Contains(w.Message, "lowercase") {
		word = strings.ToLower(word)
	}
	return replace("Write "+word, in.Keyword, word)
}

// dropEmptyLines takes out the empty lines of a continued instruction.
func dropEmptyLines(f *dockerfile.File, in *dockerfile.Instruction, _ buildkit.Warning) *lint.Fix {
	fix := &lint.Fix{Message: "Remove the empty lines"}
	for n := in.StartLine; n <= in.EndLine; n++ {
		line := f.Lines.Span(n)
		inHeredoc := slices.ContainsFunc(in.Heredocs, func(h dockerfile.Heredoc) bool {
			return h.Body.Start <= line.Start && line.Start < h.Body.End
		})
		if strings.TrimSpace(f.Text(line)) == "" && !inHeredoc && line.End < len(f.Src) {
			fix.Edits = append(fix.Edits, edit.Edit{Span: line})
		}
	}
	if fix.Edits == nil {
		return nil
	}
	return fix
}

// toJSON writes a command in JSON form that needs no shell.
func toJSON(f *dockerfile.File, in *dockerfile.Instruction, _ buildkit.Warning) *lint.Fix {
	if in.Name != "CMD" && in.Name != "ENTRYPOINT" || len(in.Args) != 1 || len(in.Heredocs) > 0 || f.Text(in.Args[0].Span) != in.Args[0].Raw {
		return nil
	}
	text := &edit.Text{}
	text.Add(f.Src, in.Args[0].Span)
	s := shell.Parse(text, shell.POSIX)
	if len(s.Statements) != 1 || !s.Statements[0].Plain {
		return nil
	}
	c := s.Statements[0].Commands[0]
	if !c.Known() || len(c.Wrappers)+len(c.Assigns) > 0 || len(c.Words) == 0 || builtin(c.Name()) {
		return nil
	}
	var list []string
	for _, w := range c.Words {
		text, err := json.Marshal(w.Value)
		if err != nil || strings.ContainsAny(w.Value, `$\`) {
			return nil
		}
		list = append(list, string(text))
	}
	fix := replace("Write the command in JSON form", in.Args[0].Span, "["+strings.Join(list, ", ")+"]")
	fix.Doubt = "the program is started without a shell around it, and gets the container's signals itself"
	return fix
}

// builtin reports a command that only a shell has.
func builtin(name string) bool {
	switch name {
	case "exec", ".", "source", "eval", "cd", "export", "exit", "set", "trap", "ulimit", "umask", "wait", ":", "":
		return true
	}
	return false
}

// authorsLabel writes the label that stands for MAINTAINER.
func authorsLabel(f *dockerfile.File, in *dockerfile.Instruction, _ buildkit.Warning) *lint.Fix {
	c, ok := in.Command.(*instructions.MaintainerCommand)
	if !ok || in.Stage == nil {
		return nil
	}
	who := unquote(c.Maintainer)
	if strings.ContainsAny(who, "\"\\$\n`") {
		return nil
	}
	word := "LABEL"
	if f.Text(in.Keyword) == "maintainer" {
		word = "label"
	}
	return replace("Write the label", in.Span, word+` org.opencontainers.image.authors="`+who+`"`)
}

// equalsSign writes KEY=VALUE where the old form has a value that means the
// same in the new one.
func equalsSign(f *dockerfile.File, in *dockerfile.Instruction, _ buildkit.Warning) *lint.Fix {
	if in.Name != "ENV" && in.Name != "LABEL" || len(in.Args) != 2 || strings.Contains(f.Text(in.Span), "\n") {
		return nil
	}
	between := edit.Span{Start: in.Args[0].Span.End, End: in.Span.End}
	value := strings.TrimSpace(f.Text(between))
	quote := ""
	if len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
		quote = value[:1]
		value = value[1 : len(value)-1]
	}
	if strings.ContainsAny(value, "\"'\\`") || value == "" {
		return nil
	}
	if quote == "" && strings.ContainsAny(value, " \t") {
		quote = `"`
	}
	return replace("Write an equals sign", between, "="+quote+value+quote)
}

func lowerProtocol(f *dockerfile.File, in *dockerfile.Instruction, _ buildkit.Warning) *lint.Fix {
	fix := &lint.Fix{Message: "Write the protocol in lower case"}
	for _, w := range in.Args {
		port, protocol, ok := strings.Cut(w.Raw, "/")
		if ok && protocol != strings.ToLower(protocol) && f.Text(w.Span) == w.Raw && !strings.Contains(protocol, "$") {
			fix.Edits = append(fix.Edits, edit.Edit{Span: w.Span, New: port + "/" + strings.ToLower(protocol)})
		}
	}
	if fix.Edits == nil {
		return nil
	}
	return fix
}

func dropPlatform(f *dockerfile.File, in *dockerfile.Instruction, _ buildkit.Warning) *lint.Fix {
	flag, ok := in.Flag("platform")
	if !ok || len(in.Args) == 0 {
		return nil
	}
	next := in.Args[0].Span.Start
	if strings.TrimSpace(f.Text(edit.Span{Start: flag.Span.End, End: next})) != "" {
		return nil // another flag, or a continued line
	}
	return replace("Remove --platform", edit.Span{Start: flag.Span.Start, End: next}, "")
}
