package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// Switches say what a build may do with a Dockerfile. Whoever builds has the
// last word, then the Dockerfile's comment, then its syntax line:
//
//	docker build --build-arg IMGMGR_REWRITE=off .
//	# imgmgr: rewrite=off sbom=off
//	# syntax=imgmgr/imgmgr-frontend rewrite=off
//
// A comment directly above an instruction, but the first, or within one says
// rewrite for that instruction alone.
type Switches struct {
	Rewrite RewriteMode
	SBOM    SBOMMode
}

// RewriteMode says which fixes a build makes.
type RewriteMode string

const (
	RewriteAll   RewriteMode = "all"   // every proven one; the default
	RewriteCache RewriteMode = "cache" // those that leave every instruction where it is
	RewriteOff   RewriteMode = "off"
)

// SBOMMode says whether a build makes an SBOM.
type SBOMMode string

const (
	SBOMAuto SBOMMode = ""    // where an image can hold it; the default
	SBOMOn   SBOMMode = "on"  // as --sbom=true
	SBOMOff  SBOMMode = "off" // none that the build didn't ask for
)

// Rules are the rules whose fixes may be made.
func (s Switches) Rules(all []*Rule) []*Rule {
	switch s.Rewrite {
	case RewriteOff:
		return nil
	case RewriteCache:
		return slices.DeleteFunc(slices.Clone(all), func(r *Rule) bool { return r.Reorders })
	}
	return all
}

// ReadSwitches reads the switches of a build: from the syntax line's words
// behind the image ("" where there are none), from the comments of file (which
// may be nil), and from the build's arguments. A value or a name that isn't
// known counts as absent; problems has a sentence about each.
func ReadSwitches(file *dockerfile.File, syntax string, args map[string]string) (s Switches, problems []string) {
	s.Rewrite = RewriteAll
	set := func(where, name, value string) {
		if problem := s.set(name, value); problem != "" {
			problems = append(problems, fmt.Sprintf("%s says %s=%s, %s: it is ignored", where, name, value, problem))
		}
	}
	setAll := func(where string, words []string, pinned bool) {
		before := s.Rewrite
		for _, word := range words {
			if name, value, ok := strings.Cut(word, "="); ok && name != "ignore" {
				set(where, strings.ToLower(name), strings.ToLower(value))
			}
		}
		if pinned { // it was only looked at for problems
			s.Rewrite = before
		}
	}
	setAll("the syntax line", strings.Fields(syntax), false)
	if file != nil {
		for _, c := range file.Comments {
			if words, ok := strings.CutPrefix(c.Text, "imgmgr:"); ok {
				setAll(fmt.Sprintf("the comment in line %d", file.Lines.Line(c.Span.Start)), switchWords(words), pinned(file, c) != nil)
			}
		}
	}
	for _, name := range []string{"rewrite", "sbom"} {
		arg := "IMGMGR_" + strings.ToUpper(name)
		if value := args[arg]; value != "" {
			set("the build argument "+arg, name, strings.ToLower(value))
		}
	}
	return s, problems
}

// set sets one switch, or says why it can't.
func (s *Switches) set(name, value string) (problem string) {
	rewrite := []RewriteMode{RewriteAll, RewriteCache, RewriteOff}
	sbom := []SBOMMode{SBOMOn, SBOMOff}
	switch {
	case name == "rewrite" && slices.Contains(rewrite, RewriteMode(value)):
		s.Rewrite = RewriteMode(value)
	case name == "sbom" && slices.Contains(sbom, SBOMMode(value)):
		s.SBOM = SBOMMode(value)
	case name == "rewrite":
		return "which is none of all, cache, off"
	case name == "sbom":
		return "which is none of on, off"
	default:
		return "but there is no such switch, use rewrite or sbom"
	}
	return ""
}

// switchWords are the words of an imgmgr comment that may be switches: not those
// of an ignore comment, nor the reason behind a second "#".
func switchWords(text string) []string {
	text, _, _ = strings.Cut(text, "#")
	words := strings.Fields(text)
	if len(words) > 0 && (strings.HasPrefix(words[0], "ignore") || words[0] == "global") {
		return nil
	}
	return words
}
