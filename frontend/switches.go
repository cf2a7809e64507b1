package frontend

import (
	"context"
	"fmt"
	"strings"
)

// switches steer the frontend. Whoever builds has the last word, then the
// Dockerfile's comment, then its syntax line:
//
//	docker build --build-arg IMGMGR_REWRITE=off .
//	# imgmgr: rewrite=off sbom=off
//	# syntax=imgmgr/frontend rewrite=off
type switches struct {
	rewrite rewriteMode
	sbom    sbomMode
}

type rewriteMode string

const (
	rewriteAll   rewriteMode = "all"   // every proven fix; the default
	rewriteCache rewriteMode = "cache" // cache mounts only: no instruction moves
	rewriteOff   rewriteMode = "off"
)

// cacheRules are the rules that rewrite=cache leaves on.
var cacheRules = map[string]bool{"CacheMountMissing": true}

type sbomMode string

const (
	sbomAuto sbomMode = ""    // where an image can hold it; the default
	sbomOn   sbomMode = "on"  // as --sbom=true
	sbomOff  sbomMode = "off" // none that the build didn't ask for
)

// readSwitches reads the switches from all their places. A value or a name that
// isn't known costs a warning and counts as absent.
func (b *build) readSwitches(ctx context.Context) switches {
	s := switches{rewrite: rewriteAll}
	set := func(where, name, value string) {
		switch {
		case name == "rewrite" && (value == "all" || value == "cache" || value == "off"):
			s.rewrite = rewriteMode(value)
		case name == "sbom" && (value == "on" || value == "off"):
			s.sbom = sbomMode(value)
		case name == "rewrite":
			b.warn(ctx, fmt.Sprintf("imgmgr: %s says rewrite=%s, which is none of all, cache, off: it is ignored", where, value))
		case name == "sbom":
			b.warn(ctx, fmt.Sprintf("imgmgr: %s says sbom=%s, which is none of on, off: it is ignored", where, value))
		default:
			b.warn(ctx, fmt.Sprintf("imgmgr: %s says %s=%s: there is no such switch, use rewrite or sbom", where, name, value))
		}
	}
	setAll := func(where string, words []string) {
		for _, word := range words {
			if name, value, ok := strings.Cut(word, "="); ok && name != "ignore" {
				set(where, strings.ToLower(name), strings.ToLower(value))
			}
		}
	}
	if words := strings.Fields(b.opts["cmdline"]); len(words) > 0 {
		setAll("the syntax line", words[1:])
	}
	if b.file != nil {
		for _, c := range b.file.Comments {
			if words, ok := strings.CutPrefix(c.Text, "imgmgr:"); ok {
				setAll(fmt.Sprintf("the comment in line %d", b.file.Lines.Line(c.Span.Start)), switchWords(words))
			}
		}
	}
	for _, name := range []string{"rewrite", "sbom"} {
		arg := "IMGMGR_" + strings.ToUpper(name)
		if value, ok := b.opts["build-arg:"+arg]; ok && value != "" {
			set("the build argument "+arg, name, strings.ToLower(value))
		}
	}
	return s
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
