package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// JavaOptionRefused finds options that the image's Java refuses to start with.
var JavaOptionRefused = &lint.Rule{
	Name:     "JavaOptionRefused",
	Severity: lint.Error,
	Doc: lint.Doc{
		Title: "Java in the image refuses an option that it is started with",
		Why: `A Java virtual machine that doesn't know an -XX option ends with "Unrecognized VM option" before the program has
begun. Options of Java 8 for collectors and logs of the garbage collection went release by release, so that an image
with a newer base builds and never starts. The log's options are now those of -Xlog:gc, and a container's memory is
respected without any.

The rule knows OpenJDK's own images and those made of them by tag, and looks at ENV, CMD and ENTRYPOINT of the final image. It is
silent beside -XX:+IgnoreUnrecognizedVMOptions.`,
		Bad:  file("FROM eclipse-temurin:21-jre\nENV JAVA_TOOL_OPTIONS=\"-XX:+UseConcMarkSweepGC\"\nCMD [\"java\", \"-jar\", \"/app.jar\"]\n"),
		Good: file("FROM eclipse-temurin:21-jre\nENV JAVA_TOOL_OPTIONS=\"-XX:+UseG1GC\"\nCMD [\"java\", \"-jar\", \"/app.jar\"]\n"),
	},
	Run: func(p *lint.Pass) error {
		final := p.File.Final(p.Facts.Target)
		if final == nil {
			return nil
		}
		base, ok := p.BaseRef(origin(final))
		release := javaRelease(base)
		if !ok || release == 0 {
			return nil
		}
		for _, st := range final.Lineage() {
			for _, in := range st.Instructions {
				if in.Name != "ENV" && in.Name != "CMD" && in.Name != "ENTRYPOINT" {
					continue
				}
				text := in.Span.Of(st.File.Src)
				if strings.Contains(text, "IgnoreUnrecognizedVMOptions") {
					continue
				}
				for _, option := range javaOption.FindAllStringSubmatch(text, -1) {
					if gone, ok := javaOptionGone[option[1]]; ok && release >= gone {
						p.Report(lint.Diagnostic{Span: in.Span, Message: fmt.Sprintf("%s has Java %d, which doesn't start with %s: the option is refused since Java %d", base, release, option[0], gone)})
					}
				}
			}
		}
		return nil
	},
}

var javaOption = regexp.MustCompile(`-XX:[+-]?(\w+)`)

// javaOptionGone has the first release that ends with an error at an option:
// "expired" in the table special_jvm_flags of OpenJDK's
// src/hotspot/share/runtime/arguments.cpp, release by release, and for the log
// of the garbage collection JEP 271 (Java 9). OpenJDK 17.0.21 was seen to refuse
// all of them.
var javaOptionGone = map[string]int{
	"PrintGCDateStamps":           9,
	"PrintGCTimeStamps":           9,
	"UseGCLogFileRotation":        9,
	"NumberOfGCLogFiles":          9,
	"GCLogFileSize":               9,
	"UseCGroupMemoryLimitForHeap": 12,
	"UseConcMarkSweepGC":          15,
	"PermSize":                    17,
	"MaxPermSize":                 17,
}

// javaRelease is the release of OpenJDK that an image is known to have by its
// tag; 0 is unknown. Semeru has another virtual machine, with other options.
func javaRelease(ref string) int {
	name, tag, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(ref, "docker.io/"), "library/"), ":")
	switch name {
	case "openjdk", "eclipse-temurin", "amazoncorretto", "azul/zulu-openjdk", "azul/zulu-openjdk-alpine":
	default:
		return 0
	}
	digits := strings.IndexFunc(tag, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		digits = len(tag)
	}
	release, _ := strconv.Atoi(tag[:digits])
	return release
}
