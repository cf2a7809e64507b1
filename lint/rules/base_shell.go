package rules

import (
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// binSh is the shell that an image has as /bin/sh.
type binSh string

const (
	unknownSh binSh = ""
	dash      binSh = "dash"
	busybox   binSh = "busybox"
	bash      binSh = "bash"
)

// baseShell is the /bin/sh of the image that a stage starts from, by the names
// of the well-known images and by what tags say of the distribution.
func baseShell(p *lint.Pass, st *dockerfile.Stage) binSh {
	root := origin(st)
	if other, final := p.Below(root); other != nil {
		return baseShell(other, final)
	}
	ref, ok := p.BaseRef(root)
	if !ok {
		return unknownSh
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return unknownSh
	}
	tag := ""
	if t, ok := named.(reference.Tagged); ok {
		tag = t.Tag()
	}
	return shellOf(reference.FamiliarName(named), tag)
}

// shellOf goes by the tag first: it names the distribution where there are
// several ("node:22-alpine"). Sources: /bin/sh of each image; the pages of the
// official images on which distribution their tags are made of.
func shellOf(name, tag string) binSh {
	last := name[strings.LastIndex(name, "/")+1:]
	for _, of := range []struct {
		shell binSh
		words []string
	}{
		{busybox, []string{"alpine", "busybox"}},
		{bash, []string{"fedora", "centos", "rockylinux", "almalinux", "amazonlinux", "oraclelinux", "oracle", "ubi7", "ubi8", "ubi9", "ubi10", "archlinux", "opensuse"}},
		{dash, []string{"debian", "ubuntu", "slim", "stretch", "buster", "bullseye", "bookworm", "trixie", "xenial", "bionic", "focal", "jammy", "noble"}},
	} {
		says := func(word string) bool { return strings.Contains(tag, word) || strings.HasPrefix(last, word) }
		if slices.ContainsFunc(of.words, says) {
			return of.shell
		}
	}
	switch name {
	case "buildpack-deps", "node", "python", "ruby", "golang", "rust", "php", "perl", "gcc", "nginx", "httpd", "postgres", "redis", "mariadb", "mongo", "maven", "gradle", "tomcat", "eclipse-temurin", "wordpress":
		return dash
	}
	return unknownSh
}
