package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// BasesDriftApart finds images of one group that start from different versions of
// the same base.
var BasesDriftApart = &lint.Rule{
	Name:     "BasesDriftApart",
	Severity: lint.Info,
	Doc: lint.Doc{
		Title: "Images of one group start from different versions of the same base",
		Why: `What is built together runs together, and mostly means to stand on the same base: then its layers are stored, pulled and
updated once, and a bug of the base is one bug. Where one Dockerfile of a bake or compose file was updated and another
wasn't, both carry a base of their own. The rule compares the images that the targets of one group start from where they
are written out: the same repository and the same variant (-slim, -alpine), with another version or digest. A version that
comes from a variable is chosen, and is left alone.`,
		Bad: lint.Example{
			Dockerfile: "FROM node:20-slim\nCOPY . .\n",
			Group:      []facts.GroupBase{{Target: "web", Ref: "node:22-slim"}},
		},
		Good: lint.Example{
			Dockerfile: "FROM node:22-slim\nCOPY . .\n",
			Group:      []facts.GroupBase{{Target: "web", Ref: "node:22-slim"}},
		},
	},
	Run: func(p *lint.Pass) error {
		if p.Facts.Group == nil {
			return nil
		}
		others, err := p.Facts.Group.Bases(p.Context)
		if err != nil {
			return nil // not known
		}
		needed := p.File.NeededWith(p.Facts.Target, p.Facts.Args)
		for _, st := range p.File.Stages {
			r, ok := baseRef(p, st)
			if !ok || !needed[st] || r.written != r.ref {
				continue
			}
			if d, ok := drift(r, others); ok {
				p.Report(d)
			}
		}
		return nil
	},
}

// drift compares a base with those of the other builds.
func drift(r imageRef, others []facts.GroupBase) (lint.Diagnostic, bool) {
	var targets, refs []string
	var evidence []lint.Evidence
	for _, o := range others {
		named, err := reference.ParseNormalizedNamed(o.Ref)
		if err != nil || named.Name() != r.named.Name() {
			continue
		}
		than := imageRef{ref: o.Ref, named: named}
		if variant(than.tag()) != variant(r.tag()) || than.tag() == r.tag() && than.digest() == r.digest() || slices.Contains(targets, o.Target) {
			continue
		}
		targets = append(targets, o.Target)
		ref := reference.FamiliarString(named)
		if !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
		evidence = append(evidence, lint.Evidence{What: "target " + o.Target, Says: "starts from " + ref})
	}
	if targets == nil {
		return lint.Diagnostic{}, false
	}
	return lint.Diagnostic{
		Span:     r.span,
		Message:  fmt.Sprintf("this build starts from %s, and %s of the same group from %s", r.ref, list(targets), list(refs)),
		Evidence: evidence,
	}, true
}

// numbers matches the versions in a tag.
var numbers = regexp.MustCompile(`^v?[0-9][0-9.]*`)

// variant is a tag without its versions: "-slim" of "22-slim", "-alpine" of
// "3.13-alpine3.22". Releases of Debian and Ubuntu are versions, too.
func variant(tag string) string {
	var words []string
	for word := range strings.SplitSeq(tag, "-") {
		switch name := strings.TrimRight(word, "0123456789."); {
		case numbers.MatchString(word), slices.Contains([]string{"latest", "stable", "lts", "buster", "bullseye", "bookworm", "trixie", "focal", "jammy", "noble"}, word):
		default:
			words = append(words, name)
		}
	}
	return strings.Join(words, "-")
}
