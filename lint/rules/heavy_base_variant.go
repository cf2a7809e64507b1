package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

// worthBytes is the difference of two variants that is worth a word.
const worthBytes = 20_000_000

// HeavyBaseVariant finds final stages on the full variant of an image that has a
// lighter one.
var HeavyBaseVariant = &lint.Rule{
	Name:     "HeavyBaseVariant",
	Severity: lint.Info,
	Doc: lint.Doc{
		Title: "Base image of the final stage has a lighter variant",
		Why: `Many images come in several variants of the same version: the full one holds compilers, version control and headers,
-slim only what the language needs to run, -alpine the same with another C library. Every container pulls the base of
the final stage, so what isn't needed there is paid for with each deployment. Build in the full variant and run in the
light one. The rule asks the registry for both, and says how many bytes lie between them, compressed, as they are
pulled. It is silent where a step of the final stage calls a compiler, git or another program that light variants lack.`,
		Bad: lint.Example{
			Dockerfile: "FROM node:22\nCOPY . .\nCMD [\"node\", \"server.js\"]\n",
			Registry: map[string]string{
				"node:22":      `{"digest": "sha256:1111111111111111111111111111111111111111111111111111111111111111", "bytes": 402000000}`,
				"node:22-slim": `{"digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222", "bytes": 78000000}`,
			},
		},
		Good: lint.Example{
			Dockerfile: "FROM node:22-slim\nCOPY . .\nCMD [\"node\", \"server.js\"]\n",
			Registry: map[string]string{
				"node:22":      `{"digest": "sha256:1111111111111111111111111111111111111111111111111111111111111111", "bytes": 402000000}`,
				"node:22-slim": `{"digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222", "bytes": 78000000}`,
			},
		},
	},
	Run: func(p *lint.Pass) error {
		final := p.File.Final(p.Facts.Target)
		if final == nil || p.Facts.Registry == nil {
			return nil
		}
		r, ok := baseRef(p, origin(final))
		variants := lighter(r)
		if !ok || len(variants) == 0 || needsFull(p, final) {
			return nil
		}
		full, err := offered(p, r.ref, r.platform)
		if err != nil || full.Bytes == 0 {
			return nil
		}
		for _, variant := range variants {
			light, err := offered(p, variant, r.platform)
			if err != nil || light.Bytes == 0 || strings.HasSuffix(variant, "alpine") && managed(p, final) {
				continue
			}
			if saved := full.Bytes - light.Bytes; saved >= worthBytes {
				p.Report(lint.Diagnostic{
					Span:    r.span,
					Message: fmt.Sprintf("%s is %s to pull, and %s %s: %s less", r.ref, megabytes(full.Bytes), variant, megabytes(light.Bytes), megabytes(saved)),
					Evidence: []lint.Evidence{
						{What: r.ref, Says: fmt.Sprintf("%s has %d bytes, compressed", full.Digest, full.Bytes)},
						{What: variant, Says: fmt.Sprintf("%s has %d bytes, compressed", light.Digest, light.Bytes)},
					},
				})
				return nil
			}
		}
		return nil
	},
}

// debianTag matches a tag with a release of Debian at its end.
var debianTag = regexp.MustCompile(`^(?:(.+)-)?(buster|bullseye|bookworm|trixie)$`)

// lighter are the names of lighter variants of an image, as official images call
// them: "22-slim", "3.13-slim-bookworm", "22-bookworm-slim", "22-alpine".
func lighter(r imageRef) []string {
	tag := ""
	if r.named != nil {
		tag = r.tag()
	}
	for _, light := range []string{"slim", "alpine", "distroless", "minimal", "micro", "tiny", "windows", "nanoserver"} {
		if r.named == nil || strings.Contains(r.ref, light) {
			return nil
		}
	}
	var tags []string
	switch debian := debianTag.FindStringSubmatch(tag); {
	case tag == "" || tag == "latest":
		tags = []string{"slim", "alpine"}
	case debian != nil && debian[1] == "":
		tags = []string{tag + "-slim"}
	case debian != nil:
		tags = []string{debian[1] + "-slim-" + debian[2], tag + "-slim"}
	default:
		tags = []string{tag + "-slim", tag + "-alpine"}
	}
	var refs []string
	for _, tag := range tags {
		if tagged, err := reference.WithTag(reference.TrimNamed(r.named), tag); err == nil {
			refs = append(refs, reference.FamiliarString(tagged))
		}
	}
	return refs
}

// fullPrograms are what the full variants have over the light ones.
var fullPrograms = []string{"gcc", "g++", "cc", "c++", "make", "cmake", "git", "hg", "svn", "curl", "wget", "autoconf", "automake", "unzip", "gpg", "ssh", "patch", "file", "dpkg-buildpackage", "node-gyp", "cargo", "bundle", "gem"}

// needsFull reports that a step of the stage, or of those below it, does what the
// light variants can't, or may do so.
func needsFull(p *lint.Pass, final *dockerfile.Stage) bool {
	for _, st := range final.Lineage() {
		runs, unread := runScripts(st)
		if unread {
			return true
		}
		for _, r := range runs {
			for _, c := range r.script.Commands() {
				if opaque(c) || slices.Contains(fullPrograms, c.Name()) {
					return true
				}
			}
		}
	}
	return false
}

// managed reports that a step uses a package manager of a distribution, whose
// packages have other names in another one.
func managed(p *lint.Pass, final *dockerfile.Stage) bool {
	return slices.ContainsFunc(installs(p), func(u install) bool {
		return u.use.Kind&ecosystem.Fetch != 0 && slices.Contains(final.Lineage(), u.in.Stage)
	})
}
