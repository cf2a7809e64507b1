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
	return &Tool{Name: "maven", Match: matchMaven, Caches: mavenCaches, Manifests: mavenManifests, Cross: jvmCross, Example: Example{
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
// settings.xml. A release is fetched once and for all; a SNAPSHOT, a range and
// LATEST are looked up once a day (settings reference, updatePolicy), so that
// they may give another result with the cache. An artifact's hash is checked
// when it is fetched, not when it is used: the repository is not for projects
// that aren't trusted. Maven doesn't lock it against other processes unless
// told so (Maven Resolver, "Named Locks"): hence Locked.
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
		c.Doubt = mavenFloats(p, pom, u)
	}
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
			if text := string(p.read(name)); strings.Contains(text, "maven.repo.local") || strings.Contains(text, "-s") && strings.HasSuffix(name, "maven.config") {
				c.Guess = name + " may move the repository"
			}
		}
	}
}

// pom is what matters of pom.xml (POM reference).
type pom struct {
	GroupID    string `xml:"groupId"`
	ArtifactID string `xml:"artifactId"`
	Parent     *struct {
		GroupID string  `xml:"groupId"`
		Version string  `xml:"version"`
		Path    *string `xml:"relativePath"`
	} `xml:"parent"`
	Modules []string `xml:"modules>module"`
	Plugins []plugin `xml:"build>plugins>plugin"`
	Managed []plugin `xml:"build>pluginManagement>plugins>plugin"`
}

type plugin struct {
	GroupID    string `xml:"groupId"`
	ArtifactID string `xml:"artifactId"`
	Version    string `xml:"version"`
}

// unpinned is a plugin whose version nothing gives, so that Maven looks for the
// newest one ("Introduction to the POM", "Super POM"; maven-core,
// default-bindings.xml).
func (p pom) unpinned() string {
	for _, k := range p.Plugins {
		managed := slices.ContainsFunc(p.Managed, func(m plugin) bool { return m.ArtifactID == k.ArtifactID && m.Version != "" })
		own := k.GroupID == "" || k.GroupID == "org.apache.maven.plugins"
		if k.Version != "" || managed || own && slices.Contains(boundPlugins[:], k.ArtifactID) {
			continue
		}
		// Spring Boot's parent manages its own plugins and the usual ones
		// (spring-boot-starter-parent's POM).
		if p.Parent != nil && p.Parent.GroupID == "org.springframework.boot" && (own || k.GroupID == p.Parent.GroupID) {
			continue
		}
		return k.ArtifactID
	}
	return ""
}

// boundPlugins are those that Maven itself gives a version, by its lifecycles
// or by the Super POM (the last four).
var boundPlugins = [...]string{
	"maven-clean-plugin", "maven-compiler-plugin", "maven-deploy-plugin", "maven-ear-plugin", "maven-ejb-plugin", "maven-install-plugin", "maven-jar-plugin",
	"maven-plugin-plugin", "maven-rar-plugin", "maven-resources-plugin", "maven-site-plugin", "maven-surefire-plugin", "maven-war-plugin",
	"maven-antrun-plugin", "maven-assembly-plugin", "maven-dependency-plugin", "maven-release-plugin",
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

// mavenFloats says which version is not fixed in the project's files: Maven
// looks such a version up once a day only. With -U it does each time (mvn
// --help).
func mavenFloats(p Project, root pom, u *Use) string {
	if u.options.on("-U", "--update-snapshots") {
		return ""
	}
	for _, goal := range u.options.operands {
		// A plugin by its prefix alone ("Introduction to Plugin Prefix Resolution").
		prefix, _, ok := strings.Cut(goal.Value, ":")
		pinned := slices.ContainsFunc(root.Plugins, func(k plugin) bool { return k.Version != "" && strings.Contains(k.ArtifactID, prefix) })
		if ok && strings.Count(goal.Value, ":") < 3 && !pinned && !slices.Contains(boundPlugins[:], "maven-"+prefix+"-plugin") {
			return "the command gives no version for the plugin of " + goal.Value + ", which Maven looks up once a day only"
		}
	}
	if root.Parent != nil && (p.Dir != "." || root.Parent.Path != nil && *root.Parent.Path != "") {
		return "the parent of " + path.Join(p.Dir, "pom.xml") + " may be another file of the context"
	}
	type entry struct {
		at Project
		m  pom
	}
	for queue, seen := []entry{{p, root}}, 0; len(queue) > 0; seen++ {
		it := queue[0]
		queue = queue[1:]
		if why := pomFloats(it.at.read("pom.xml")); why != "" {
			return path.Join(it.at.Dir, "pom.xml") + " " + why
		}
		if name := it.m.unpinned(); name != "" {
			return path.Join(it.at.Dir, "pom.xml") + " gives no version for " + name + ", which Maven looks up once a day only"
		}
		for _, name := range it.m.Modules {
			at := it.at.in(strings.TrimSpace(name))
			m, why := readPOM(at)
			if why != "" || seen > 100 || at.Dir == it.at.Dir {
				return "the module " + name + " can't be read"
			}
			queue = append(queue, entry{at, m})
		}
	}
	return ""
}

// pomFloats looks at the versions of a pom.xml: those of its parent, its
// dependencies and its plugins, and the properties that they may come from.
func pomFloats(data []byte) string {
	dec := xml.NewDecoder(strings.NewReader(string(data)))
	var path []string
	for {
		tok, err := dec.Token()
		if err != nil {
			return ""
		}
		switch t := tok.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
			if t.Name.Local == "updatePolicy" || t.Name.Local == "systemPath" {
				return "sets " + t.Name.Local
			}
		case xml.EndElement:
			path = path[:max(0, len(path)-1)]
		case xml.CharData:
			// /project/version is the project's own.
			if n := len(path); n > 2 && (path[n-1] == "version" || path[n-2] == "properties") {
				v := strings.TrimSpace(string(t))
				if strings.HasSuffix(v, "-SNAPSHOT") || v == "LATEST" || v == "RELEASE" || v != "" && strings.ContainsAny(v[:1], "[(") {
					return "asks for version " + v + ", which Maven looks up once a day only"
				}
			}
		}
	}
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
