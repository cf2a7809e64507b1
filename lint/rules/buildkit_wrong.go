package rules

import (
	"regexp"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint/buildkit"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// quotedName is what a warning of BuildKit's is about: a path, or a variable.
var quotedName = regexp.MustCompile(`"([^"]*)"`)

// drive starts an absolute path of Windows.
var drive = regexp.MustCompile(`^"?[A-Za-z]:`)

// driveLetter reports a WORKDIR that is absolute on Windows, of which the check
// doesn't know that it is built for.
func driveLetter(_ *dockerfile.Instruction, w buildkit.Warning) bool {
	path := quotedName.FindStringSubmatch(w.Message)
	return path != nil && drive.MatchString(path[1])
}

// fingerprint is one of an OpenPGP key, version 4 or 5 (RFC 9580, 5.5.4), or
// several of them. Other secrets may look like it, so its name has to say that
// it is of such a key.
var fingerprint = regexp.MustCompile(`^"?(0x)?([0-9A-Fa-f]{4}[ ]*){10}(([0-9A-Fa-f]{4}[ ]*){6})?"?$`)

// publicValue reports a variable whose value is there for all to see: the
// fingerprint of a public key, or nothing.
func publicValue(in *dockerfile.Instruction, w buildkit.Warning) bool {
	name := quotedName.FindStringSubmatch(w.Message)
	if name == nil {
		return false
	}
	ofKey := strings.Contains(strings.ToUpper(name[1]), "GPG") || strings.Contains(strings.ToUpper(name[1]), "PGP")
	switch c := in.Command.(type) {
	case *instructions.EnvCommand:
		for _, pair := range c.Env {
			if pair.Key == name[1] {
				return strings.Trim(pair.Value, `"'`) == "" || ofKey && fingerprint.MatchString(pair.Value)
			}
		}
	case *instructions.ArgCommand:
		for _, arg := range c.Args {
			if arg.Key == name[1] {
				return arg.Value != nil && ofKey && fingerprint.MatchString(*arg.Value)
			}
		}
	}
	return false
}
