package prune

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/prune/retention"
)

// maxText is the longest file that is searched for images, in bytes.
const maxText = 8 << 20

// Images are named in many kinds of files, and a name too many keeps an image too
// many, which is the right way to err. So the files are not parsed: a digest
// counts wherever it stands, and a name where one is expected.
var (
	digestNamed = regexp.MustCompile(`(?:[\w.:/-]+@)?sha256:[0-9a-f]{64}`)
	imageNamed  = regexp.MustCompile(`(?mi)^[\s\-"'{]*(?:image|FROM|tags|base_image|inherits_image)\b["']?\s*[:=]?\s*(.+)$`)
	// In JSON of one line, in YAML's braces, and of BuildKit's named contexts.
	imageInLine = regexp.MustCompile(`(?:\bimage(?:Name)?["']?\s*:\s*["']?|docker-image://)([\w][\w./:-]*)`)
	// A list of images, one a line, as kubectl's jsonpath prints them.
	imageAlone = regexp.MustCompile(`(?m)^\s*([\w][\w.-]*(?::\d+)?(?:/[\w.-]+)*:[\w][\w.-]{0,127})\s*$`)
	// Values of Helm, images of Kustomize: the tag stands up to three lines below.
	nameAndTag = []*regexp.Regexp{tagBelow("repository", "tag"), tagBelow("newName", "newTag"), tagBelow("name", "newTag")}
	oneName    = regexp.MustCompile(`[\w][\w.-]*(?::\d+)?(?:/[\w.-]+)*:[\w][\w.-]{0,127}|[\w][\w.-]*(?::\d+)?(?:/[\w.-]+)+`)
)

func tagBelow(name, tag string) *regexp.Regexp {
	return regexp.MustCompile(`\b` + name + `["']?\s*:\s*["']?([\w][\w./:-]*)["']?,?[^\n]*(?:\n[^\n]*){0,3}?\b` + tag + `["']?\s*:\s*["']?([\w][\w.-]*)`)
}

// usesIn finds the images that a file, or the files of a folder, name.
func usesIn(path string) ([]retention.Use, error) {
	var uses []retention.Use
	err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != path && (d.Name() == ".git" || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Size() > maxText && name != path {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if !bytes.ContainsRune(text, 0) {
			uses = append(uses, imagesIn(string(text), name)...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for images in use: %w", err)
	}
	return uses, nil
}

// imagesIn finds the images that a text names.
func imagesIn(text, by string) []retention.Use {
	var uses []retention.Use
	seen := map[string]bool{}
	add := func(image string) {
		if !seen[image] {
			seen[image] = true
			uses = append(uses, retention.Use{Image: image, By: by})
		}
	}
	for _, image := range digestNamed.FindAllString(text, -1) {
		add(image)
	}
	for _, m := range slices.Concat(imageInLine.FindAllStringSubmatch(text, -1), imageAlone.FindAllStringSubmatch(text, -1)) {
		add(m[1])
	}
	for _, pattern := range nameAndTag {
		for _, m := range pattern.FindAllStringSubmatch(text, -1) {
			add(m[1] + ":" + m[2])
		}
	}
	for _, m := range imageNamed.FindAllStringSubmatch(text, -1) {
		value, _, _ := strings.Cut(m[1], "@")
		for _, image := range oneName.FindAllString(value, -1) {
			add(image)
		}
		if name := strings.Trim(strings.TrimSpace(value), `"',`); !strings.ContainsAny(name, " \t[]{}$:/") && name != "" {
			add(name)
		}
	}
	return uses
}
