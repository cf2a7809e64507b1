package scanner

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/spdx/tools-golang/spdx"

	"github.com/imgmgr/imgmgr/frontend/trail"
)

const (
	curlStatus = "\nPackage: curl\nStatus: install ok installed\nPriority: optional\nSection: web\n" +
		"Maintainer: Curl <curl@example.org>\nArchitecture: amd64\nVersion: 8.0-1\nDescription: a tool\n"
	pointRelease = "PRETTY_NAME=\"Debian 42\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"42.1\"\nID=debian\n"
)

// storeys are the results of steps, each on top of the one before.
type storeys struct {
	t    *testing.T
	dirs []string
}

// add puts a step onto the others: files to write, or, where the text is "-", to
// remove.
func (s *storeys) add(files map[string]string) {
	s.t.Helper()
	dir := filepath.Join(s.t.TempDir(), "sbom")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	if len(s.dirs) > 0 {
		clone(s.t, s.dirs[len(s.dirs)-1], dir)
	}
	for name, text := range files {
		os.RemoveAll(filepath.Join(dir, name))
		if text != "-" {
			writeFile(s.t, dir, name, text)
		}
	}
	s.dirs = append(s.dirs, dir)
}

// steps are those of a trail: step number i is on line 10*i.
func (s *storeys) steps(prefix string, from, to int) []trail.Step {
	var steps []trail.Step
	for i := from; i <= to; i++ {
		step := trail.Step{ID: prefix + strconv.Itoa(i), Dir: s.dirs[i], Instruction: &trail.Instruction{File: "Dockerfile", Line: 10 * i, Text: "RUN " + prefix + strconv.Itoa(i)}}
		if i > 0 {
			step.Below = prefix + strconv.Itoa(i-1)
		}
		steps = append(steps, step)
	}
	return steps
}

// traced scans a root that the steps of way lead to, and returns the document's
// bytes.
func traced(t *testing.T, env map[string]string, way trail.Trail) []byte {
	t.Helper()
	text, err := json.Marshal(way)
	if err != nil {
		t.Fatal(err)
	}
	env[trail.Env] = string(text)
	if err := runIn(t, env); err != nil {
		t.Fatal(err)
	}
	return read(t, filepath.Join(env[EnvDestination], "sbom.spdx.json"))
}

// originOf is what a document says of where a package came from: "20", "20<30"
// for line 30 of another stage, "" for nothing.
func originOf(t *testing.T, doc *spdx.Document, name string) string {
	t.Helper()
	for _, p := range doc.Packages {
		if p.PackageName != name || len(p.Annotations) == 0 {
			continue
		}
		var a trail.Annotation
		if err := json.Unmarshal([]byte(p.Annotations[0].AnnotationComment), &a); err != nil {
			t.Fatal(err)
		}
		if a.BroughtInBy.Origin != nil {
			return strconv.Itoa(a.BroughtInBy.Line) + "<" + strconv.Itoa(a.BroughtInBy.Origin.Line)
		}
		return strconv.Itoa(a.BroughtInBy.Line)
	}
	return ""
}

func TestOrigins(t *testing.T) {
	s := &storeys{t: t}
	s.add(map[string]string{"usr/lib/os-release": osRelease, "etc/os-release": osRelease, "var/lib/dpkg/status": dpkgStatus, "app/node_modules/left-pad/package.json": leftPad})
	s.add(map[string]string{"var/lib/dpkg/status": dpkgStatus + curlStatus, "var/lib/dpkg/info/curl.md5sums": "d41d8cd98f00b204e9800998ecf8427e  usr/bin/curl\n"})
	s.add(map[string]string{"usr/lib/os-release": pointRelease, "etc/os-release": pointRelease})
	s.add(map[string]string{"app/node_modules/left-pad": "-", "app/node_modules/express/package.json": express, "opt/widget.jar": string(jar(t))})
	s.add(map[string]string{leftPadAt: leftPad, "app/node_modules/express/package.json": express + "\n"})
	s.add(map[string]string{"var/lib/dpkg/status": curlStatus[1:] + "\n" + dpkgStatus, "app/server.js": "x"})
	top := len(s.dirs) - 1
	want := map[string]string{
		"libc6":    "0",  // though curl's installation wrote to the same database
		"curl":     "10", // though the distribution is another since
		"express":  "30", // though its manifest was written to again
		"widget":   "30",
		"left-pad": "40", // though it was there before, and removed
	}
	whole := traced(t, environ(s.dirs[top], "", t.TempDir()), trail.Trail{Top: strconv.Itoa(top), Steps: s.steps("", 0, top)})
	doc := decode(t, whole)
	for name, line := range want {
		if got := originOf(t, doc, name); got != line {
			t.Errorf("%s comes from line %s, want %s", name, got, line)
		}
	}

	// Kept scans, in turn, give the same document, whatever the lines were.
	for _, points := range [][]int{{0}, {2}, {1, 3}, {0, 2, 4}} {
		below, kept := -1, ""
		for _, p := range append(points, top) {
			dir := t.TempDir()
			env := environ(s.dirs[p], "", filepath.Join(dir, "scan"))
			if err := os.Mkdir(env[EnvDestination], 0o755); err != nil {
				t.Fatal(err)
			}
			if kept != "" {
				env[EnvBelow], env[EnvChanged] = kept, s.dirs[p]
			}
			way := trail.Trail{Top: strconv.Itoa(p), Steps: s.steps("", below+1, p)}
			if p == top {
				for _, step := range s.steps("", 0, below) {
					step.Dir = ""
					way.Steps = append(way.Steps, step)
				}
			} else {
				env[EnvKeep] = "true"
				for i := range way.Steps {
					way.Steps[i].Instruction = nil
				}
			}
			got := traced(t, env, way)
			if p == top && !bytes.Equal(got, whole) {
				t.Errorf("with the scans of %v kept, the document is\n%s\nwant\n%s", points, got, whole)
			}
			clone(t, s.dirs[p], filepath.Join(dir, "root"))
			below, kept = p, dir
		}
	}
}

func TestOriginsInOtherStages(t *testing.T) {
	build := &storeys{t: t}
	build.add(map[string]string{"usr/lib/node_modules/npm/package.json": strings.Replace(express, "express", "npm", 1)})
	build.add(map[string]string{"out/widget.jar": string(jar(t)), "app/node_modules/left-pad/package.json": leftPad})
	build.add(map[string]string{"app/node_modules/express/package.json": express})
	final := &storeys{t: t}
	final.add(map[string]string{"etc/hostname": "x"})
	final.add(map[string]string{
		"lib/app.jar": string(jar(t)), "srv/node_modules/left-pad/package.json": leftPad,
		"srv/node_modules/express/package.json": express, "lib/node_modules/npm/package.json": strings.Replace(express, "express", "npm", 1),
		"srv/node_modules/other/package.json": strings.Replace(express, "express", "other", 1),
	})
	steps := final.steps("", 0, 1)
	steps[1].Copies = []trail.Copy{
		{From: "1.0.2", Source: "/out/*.jar", Dest: "/lib/app.jar"},
		{From: "1.0.2", Source: "/app/node_modules", Dest: "/srv/node_modules/"},
		{From: "1.0.2", Source: "/usr/lib/node_modules", Dest: "/lib/"},
	}
	env := environ(final.dirs[1], "", t.TempDir())
	doc := decode(t, traced(t, env, trail.Trail{Top: "1", Steps: append(build.steps("1.0.", 0, 2), steps...)}))
	for name, line := range map[string]string{"widget": "10<10", "left-pad": "10<10", "express": "10<20", "npm": "10<0", "other": "10"} {
		if got := originOf(t, doc, name); got != line {
			t.Errorf("%s comes from line %s, want %s", name, got, line)
		}
	}
}

// Where it isn't known, the SBOM says nothing of it, and is made.
func TestOriginsUnknown(t *testing.T) {
	s := &storeys{t: t}
	s.add(map[string]string{"etc/hostname": "x"})
	s.add(map[string]string{leftPadAt: leftPad})
	env := environ(s.dirs[1], "", t.TempDir())
	env[EnvBelow], env[EnvChanged] = t.TempDir(), s.dirs[1]
	way := trail.Trail{Top: "1", Steps: s.steps("", 1, 1)}
	doc := decode(t, traced(t, env, way))
	if got := originOf(t, doc, "left-pad"); got != "" || len(doc.Packages) < 2 {
		t.Errorf("without the scan of what lies below, left-pad comes from %s", got)
	}
	env = environ(s.dirs[1], "", t.TempDir())
	env[trail.Env] = "{"
	if err := runIn(t, env); err != nil {
		t.Error(err)
	}
	way = trail.Trail{Top: "1", Steps: append(s.steps("", 0, 1), trail.Step{ID: "x"})}
	way.Steps[0].Dir = "/nowhere"
	if got := originOf(t, decode(t, traced(t, environ(s.dirs[1], "", t.TempDir()), way)), "left-pad"); got != "" {
		t.Errorf("without the step below, left-pad comes from %s", got)
	}
}
