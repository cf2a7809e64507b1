package rules

import (
	"encoding/hex"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/github/go-spdx/v2/spdxexp"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"golang.org/x/mod/semver"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// label is one label of a LABEL instruction.
type label struct {
	key, value string
	known      bool      // the value rests on no variable
	span       edit.Span // the key
	in         *dockerfile.Instruction
}

// labels are the labels that a stage sets, in order.
func labels(st *dockerfile.Stage) []label {
	var all []label
	for _, in := range st.Instructions {
		c, ok := in.Command.(*instructions.LabelCommand)
		if !ok {
			continue
		}
		for _, kv := range c.Labels {
			key := unquote(kv.Key)
			all = append(all, label{key, unquote(kv.Value), !strings.Contains(kv.Value, "$"), assignmentSpan(st.File, in, key), in})
		}
	}
	return all
}

// finalLabels are the labels that the final image gets from Dockerfiles; not
// ok where there is no final stage.
func finalLabels(p *lint.Pass) (map[string]bool, *dockerfile.Stage) {
	final := p.File.Final(p.Facts.Target)
	if final == nil {
		return nil, nil
	}
	set := map[string]bool{}
	for _, st := range p.Lineage(final) {
		for _, l := range labels(st) {
			set[l.key] = true
		}
	}
	return set, final
}

// labelKinds are the kinds of values that labels can be asked to have: what
// they are called, hadolint's code, and whether a value is one.
var labelKinds = map[string]struct {
	what, code string
	is         func(string) bool
}{
	"url":     {"a URL", "DL3052", isAddress},
	"rfc3339": {"a time as in RFC 3339 (2026-01-31T12:00:00Z)", "DL3053", isTime},
	"spdx":    {"an SPDX licence expression", "DL3054", isLicence},
	"hash":    {"a git commit", "DL3055", isCommit},
	"semver": {"a semantic version", "DL3056", func(v string) bool {
		return semver.IsValid("v"+strings.TrimPrefix(v, "v")) && strings.Count(v, ".") >= 2
	}},
	"email": {"an e-mail address", "DL3058", isMail},
}

func isAddress(v string) bool {
	u, err := url.Parse(v)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "")
}

func isTime(v string) bool {
	_, err := time.Parse(time.RFC3339, v)
	return err == nil
}

func isLicence(v string) bool {
	ok, _ := spdxexp.ValidateLicenses([]string{v})
	return ok
}

func isCommit(v string) bool {
	_, err := hex.DecodeString(v + strings.Repeat("0", len(v)%2))
	return err == nil && len(v) >= 7 && len(v) <= 64 && v == strings.ToLower(v)
}

func isMail(v string) bool {
	_, err := mail.ParseAddress(v)
	return err == nil
}
