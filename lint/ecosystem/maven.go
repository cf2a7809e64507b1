package ecosystem

import (
	"encoding/xml"
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// maven is Java's build tool, by its own documentation (maven.apache.org:
// settings, pom reference, "Introduction to the Build Lifecycle", mvn --help).
func maven() *Tool {
	return &Tool{Name: "maven", Lies: []string{"mvnw"}, Proven: true, Match: matchMaven, Caches: mavenCaches, Manifests: mavenManifests, Cross: jvmCross, Example: Example{
		Base: "maven:3-eclipse-temurin-21",
		Files: map[string]string{
			"pom.xml": "<project><modelVersion>4.0.0</modelVersion><groupId>example</groupId><artifactId>app</artifactId><version>1</version></project>",
		},
		Commands: []string{
			"mvn package",
			"mvn install",
			"mvn dependency:go-offline",
		},
	}}
}

// mavenValued are the options whose value is the next word (mvn --help).
var mavenValued = [...]string{
	"-f", "--file", "-s", "--settings", "-gs", "--global-settings", "-is", "--install-settings", "-t", "--toolchains", "-gt", "--global-toolchains", "-P", "--activate-profiles",
	"-pl", "--projects", "-rf", "--resume-from", "-T", "--threads", "-D", "--define", "-b", "--builder", "-l", "--log-file", "--color", "-ep", "-emp",
}

func matchMaven(c *shell.Command) *Use {
	name := c.Name()
	if name != "mvn" && name != "mvnw" && name != "mvnd" {
		return nil
	}
	l := parseLine(c, mavenValued[:]...)
	u := &Use{options: l, Title: strings.TrimSpace(name + " " + l.operand(0)), Dir: mavenDir(l)}
	if len(l.operands) == 0 || l.on("-v", "--version", "-h", "--help") {
		u.Title = name
		return u
	}
	u.Kind = Fetch | Build
	if l.on("-o", "--offline") {
		u.Kind = Build | Offline
	}
	// The goals of the dependency plugin that fetch and do nothing else.
	u.Installs = len(l.operands) == 1 && slices.ContainsFunc([]string{"go-offline", "resolve", "resolve-plugins"}, func(goal string) bool {
		return l.operand(0) == "dependency:"+goal || strings.HasPrefix(l.operand(0), "org.apache.maven.plugins:maven-dependency-plugin:") && strings.HasSuffix(l.operand(0), ":"+goal)
	})
	if u.Installs {
		u.Kind = Fetch
		u.Doubt = "the plugins that " + l.operand(0) + " starts may read the sources"
	}
	return u
}

// jvmCross: archives of classes are the same on every platform.
func jvmCross(u *Use, _ Env) *Cross {
	if u.Kind&Build == 0 {
		return nil
	}
	return &Cross{Results: []string{".jar", ".war", ".ear"}}
}

// mavenDir is the folder of the pom.xml that -f names.
func mavenDir(l line) string {
	f, ok := l.last("-f", "--file")
	switch {
	case !ok:
		return "."
	case !f.known || path.IsAbs(f.value) || f.value == "" || strings.HasPrefix(path.Clean(f.value), ".."):
		return ""
	case strings.HasSuffix(f.value, ".xml"):
		return path.Dir(path.Clean(f.value))
	}
	return path.Clean(f.value)
}

// mavenCaches is the local repository, never the rest of ~/.m2, which holds
// settings.xml. A release is fetched once and for all; a SNAPSHOT, a range,
// LATEST and a plugin without a version are looked up once a day (settings
// reference, updatePolicy), also where the POM of a dependency names them, which
// no file of the project shows: the cache would give another result than none.
// With -U Maven looks them up each time, whatever an updatePolicy says
// (maven-resolver, DefaultRemoteRepositoryManager.getPolicy; tried with Maven
// 3.8.7: a range of a dependency, LATEST and a SNAPSHOT stay as they are without
// -U, and are found anew with it), and where there is no cache -U changes
// nothing. So it comes with the mount.
//
// An artifact's hash is checked when it is fetched, not when it is used: the
// repository is not for projects that aren't trusted. Maven doesn't lock it
// against other processes unless told so (Maven Resolver, "Named Locks"): hence
// Locked.
//
// "install" puts what the project makes into the repository, where a module
// built later without its sibling would find what an older build made.
func mavenCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	home, doubt := e.home()
	c := Cache{
		Name: "repository", Costs: "downloads every artifact again", ID: "imgmgr-maven",
		Locked: true, Fetched: true, Kept: true, Path: path.Join(home, ".m2/repository"), Guess: doubt,
	}
	c.mavenFolder(u, e)
	p := e.Project.in(u.Dir)
	pom, err := readPOM(p)
	switch {
	case err != "":
		c.Doubt = err
	default:
		c.Project = pom.coordinates()
	}
	c.mavenUpdates(u, e)
	if c.Doubt == "" && !bringsNoArtifacts(e.Base) {
		c.Doubt = "the base image may bring artifacts that can't be downloaded"
	}
	for _, goal := range u.options.operands {
		if g := goal.Value; g == "install" || g == "deploy" || strings.HasPrefix(g, "install:") {
			c.Never = g + " would put what the project makes into the cache, where the next build finds it"
		} else if !goal.Literal {
			c.Doubt = "which goals Maven is given is not known"
		}
	}
	return []Cache{c}
}

// bringsNoArtifacts reports an official image with no local repository, or an
// empty one.
func bringsNoArtifacts(base string) bool {
	return slices.Contains([]string{"maven", "eclipse-temurin", "openjdk", "amazoncorretto", "ibm-semeru-runtimes", "sapmachine", "debian", "ubuntu", "alpine"}, repository(base))
}

// mavenFolder applies the settings that move the repository (settings
// reference, localRepository; -Dmaven.repo.local; "Configuring Apache Maven").
func (c *Cache) mavenFolder(u *Use, e Env) {
	words := u.Command.Args()
	for i, w := range words {
		v := w.Value
		if (v == "-D" || v == "--define") && i+1 < len(words) {
			v = "-D" + words[i+1].Value
		}
		if dir, ok := strings.CutPrefix(v, "-Dmaven.repo.local="); ok {
			if path.IsAbs(dir) && !strings.Contains(dir, "$") {
				c.Path, c.Guess = path.Clean(dir), ""
			} else {
				c.Guess = "maven.repo.local names a folder that is not known"
			}
			return
		}
		if name, _, _ := strings.Cut(v, "="); slices.Contains([]string{"-s", "--settings", "-gs", "--global-settings"}, name) {
			c.Guess = "the settings that " + name + " names may move the repository"
		}
	}
	for _, name := range []string{"MAVEN_OPTS", "MAVEN_ARGS"} {
		if v, _, known := e.get(name); strings.Contains(v, "maven.repo.local") || !known && e.Open[name] {
			c.Guess = name + " may move the repository"
		}
	}
	if c.Guess == "" && !e.Complete {
		c.Guess = e.Why
	}
	if p := e.Project; p.Known() && p.holds(".mvn") {
		for _, name := range []string{".mvn/maven.config", ".mvn/jvm.config"} {
			text := string(p.read(name))
			settings := slices.ContainsFunc(strings.Fields(text), func(w string) bool {
				return strings.HasPrefix(w, "-s") || strings.HasPrefix(w, "-gs") || strings.HasPrefix(w, "--settings") || strings.HasPrefix(w, "--global-settings")
			})
			if strings.Contains(text, "maven.repo.local") || settings && strings.HasSuffix(name, "maven.config") {
				c.Guess = name + " may move the repository"
			}
		}
	}
}

// mavenUpdates sees to it that Maven looks for newer versions each time. What
// forbids it to goes before -U (maven-core,
// DefaultRepositorySystemSessionFactory.java).
func (c *Cache) mavenUpdates(u *Use, e Env) {
	arguments, _, _ := e.get("MAVEN_ARGS")
	if p := e.Project; p.Known() && p.holds(".mvn") {
		arguments += " " + string(p.read(".mvn/maven.config"))
	}
	for _, option := range []string{"-nsu", "--no-snapshot-updates"} {
		if u.options.on(option) || slices.Contains(strings.Fields(arguments), option) {
			c.Doubt = option + " keeps Maven from looking for newer versions"
			return
		}
	}
	if u.options.on("-U", "--update-snapshots") {
		return
	}
	w := u.options.operands[0]
	if !w.Literal || w.Raw != w.Value {
		c.Doubt = "Maven looks for newer versions once a day only, without -U"
		return
	}
	c.Instead = []Instead{{w, "-U " + w.Value}}
}

// pom is what matters of pom.xml (POM reference).
type pom struct {
	GroupID    string `xml:"groupId"`
	ArtifactID string `xml:"artifactId"`
	Parent     *struct {
		GroupID string `xml:"groupId"`
	} `xml:"parent"`
	Modules []string `xml:"modules>module"`
}

// coordinates name the project; "" where they hold a variable.
func (p pom) coordinates() string {
	group := p.GroupID
	if group == "" && p.Parent != nil {
		group = p.Parent.GroupID
	}
	if group == "" || p.ArtifactID == "" || strings.Contains(group+p.ArtifactID, "$") {
		return ""
	}
	return strings.TrimSpace(group) + "." + strings.TrimSpace(p.ArtifactID)
}

// readPOM reads the project's pom.xml. The text says why it can't.
func readPOM(p Project) (pom, string) {
	var m pom
	if !p.Known() {
		return m, "the build context, and so the project's name, is not known"
	}
	if !p.regular("pom.xml") {
		return m, "the context has no file pom.xml, so that the project's name is not known"
	}
	if err := xml.Unmarshal(p.read("pom.xml"), &m); err != nil {
		return m, "pom.xml can't be read: " + err.Error()
	}
	if m.coordinates() == "" {
		return m, "pom.xml doesn't name the project"
	}
	return m, ""
}

// mavenManifests says what the dependency plugin's goals read: pom.xml, those
// of its modules, and .mvn.
func mavenManifests(u *Use, e Env) Manifests {
	m := Manifests{Files: []string{"pom.xml"}, Outputs: []string{"target"}, Doubt: u.Doubt}
	if !e.Project.Known() {
		m.doubt("the build context is not known")
		return m
	}
	p := e.Project
	if !p.regular("pom.xml") {
		m.Files, m.Breaks = nil, "the context has no file pom.xml"
		return m
	}
	root, why := readPOM(p)
	m.doubt(why)
	if len(root.Modules) > 0 {
		m.breaks("pom.xml has modules")
	}
	if there, err := p.Has(".mvn"); err == nil && there {
		m.breaks("Maven also reads the folder .mvn")
	}
	if u.Command.Name() == "mvnw" {
		m.breaks("the command itself comes with the sources")
	}
	return m
}
