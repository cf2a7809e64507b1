package ecosystem

import (
	"path"
	"regexp"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// gradle is a build tool for Java and others, by its user manual ("The
// Directories and Files Gradle Uses", "Dependency Caching", "Command-Line
// Interface").
func gradle() *Tool {
	return &Tool{Name: "gradle", Lies: []string{"gradlew"}, Proven: true, Match: matchGradle, Caches: gradleCaches, Cross: jvmCross, Example: Example{
		Base: "eclipse-temurin:21",
		Files: map[string]string{
			"build.gradle":    "",
			"settings.gradle": "rootProject.name = 'app'\n",
		},
		Commands: []string{
			"./gradlew build",
			"gradle build --no-daemon",
		},
	}}
}

// gradleValued are the options whose value is the next word.
var gradleValued = [...]string{
	"-g", "--gradle-user-home", "-p", "--project-dir", "-b", "--build-file", "-c", "--settings-file", "-I", "--init-script", "-x", "--exclude-task", "--console", "--max-workers",
	"--project-cache-dir", "--include-build", "--tests", "--priority", "--warning-mode",
}

func matchGradle(c *shell.Command) *Use {
	name := c.Name()
	if name != "gradle" && name != "gradlew" {
		return nil
	}
	l := parseLine(c, gradleValued[:]...)
	u := &Use{options: l, Title: strings.TrimSpace(name + " " + l.operand(0)), Kind: Fetch | Build}
	if l.operand(0) == "" {
		u.Title = name
	}
	switch {
	case l.on("-v", "--version", "-h", "--help", "--stop") && len(l.operands) == 0:
		u.Kind = 0
		if name == "gradlew" {
			u.Kind = Fetch // the wrapper downloads Gradle itself
		}
	case l.on("--offline"):
		u.Kind = Build | Offline
	}
	return u
}

// gradleCaches are caches/modules-2 and wrapper in the user home of Gradle, not
// the home itself, which holds settings, init scripts and keys, nor all of
// caches, which holds what builds made: build results, transformed artifacts,
// compiled build scripts.
//
// modules-2 is what was downloaded ("The Directories and Files Gradle Uses"), and
// what is known of it. Gradle asks for changing modules and dynamic versions
// once a day ("Dynamic Versions and Changing Modules"), so that the cache would
// give another result than none. With --refresh-dependencies it asks for each
// module and artifact again, and downloads what has another hash; where there is
// no cache the option changes nothing (tried with Gradle 4.4.1: a dynamic
// version, a SNAPSHOT, and a release whose archive was replaced stay as they are
// without it, also where the build says how long, and are found anew with it).
// So it comes with the mount. An artifact that was tampered with where it lies
// is taken as it is: one cache for one project.
//
// Its locks are files in the folders, held by address and port, which another
// container can't reach: hence Locked.
func gradleCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	dir, guess := gradleHome(u, e)
	c := Cache{
		Name: "modules", Path: path.Join(dir, "caches/modules-2"), Guess: guess, Costs: "downloads every artifact again",
		ID: "imgmgr-gradle", Locked: true, Fetched: true, Kept: true,
	}
	c.trusted(gradleName(u, e.Project))
	if c.Doubt == "" && !bringsNoArtifacts(e.Base) {
		c.Doubt = "the base image may bring artifacts that can't be downloaded"
	}
	list := []Cache{c}
	if u.Command.Name() == "gradlew" {
		w := c
		w.Name, w.Path, w.Costs, w.ID = "wrapper", path.Join(dir, "wrapper"), "downloads Gradle itself again", "imgmgr-gradle-wrapper"
		w.Doubt = "what the wrapper has unpacked there is run without a check, and no image has been proven equal with it yet"
		list = append(list, w)
	}
	list[0].gradleUpdates(u)
	return list
}

// gradleUpdates sees to it that Gradle looks for newer versions each time.
func (c *Cache) gradleUpdates(u *Use) {
	if u.Kind&Build == 0 || u.options.on("--refresh-dependencies") {
		return
	}
	words := u.Command.Args()
	if len(words) == 0 || hasWord(u.Command, "--") {
		c.Doubt = "Gradle looks for newer versions once a day only, without --refresh-dependencies"
		return
	}
	last := words[len(words)-1] // behind all tasks, and all values of options
	c.Instead = []Instead{{last, last.Raw + " --refresh-dependencies"}}
}

// gradleHome is the user home of Gradle: -g, the system property of that name,
// GRADLE_USER_HOME, or ~/.gradle.
func gradleHome(u *Use, e Env) (dir, guess string) {
	home, doubt := e.home()
	def := path.Join(home, ".gradle")
	if repository(e.Base) == "gradle" {
		// The official image has a VOLUME /home/gradle/.gradle and, for root, a
		// link to it.
		def, doubt = "/home/gradle/.gradle", "the base image makes /home/gradle/.gradle a VOLUME"
	}
	dir, guess = e.folder("GRADLE_USER_HOME", def, doubt)
	if f, ok := u.options.last("-g", "--gradle-user-home"); ok {
		guess = "Gradle is given another user home"
		if f.known && path.IsAbs(f.value) {
			dir, guess = path.Clean(f.value), ""
		}
	}
	for _, w := range u.Command.Args() {
		if strings.Contains(w.Value, "gradle.user.home") {
			guess = "Gradle is given another user home"
		}
	}
	for _, name := range []string{"GRADLE_OPTS", "JAVA_OPTS", "JAVA_TOOL_OPTIONS"} {
		if v, _, known := e.get(name); strings.Contains(v, "gradle.user.home") || !known && e.Open[name] {
			guess = name + " may move Gradle's user home"
		}
	}
	return dir, guess
}

var rootProject = regexp.MustCompile(`(?m)^\s*rootProject\.name\s*=\s*["']([\w.-]+)["']`)

// gradleName is the name that the settings give the build; "" when it isn't
// known.
func gradleName(u *Use, p Project) string {
	if _, ok := u.options.last("-p", "--project-dir", "-c", "--settings-file"); ok || !p.Known() {
		return ""
	}
	for _, name := range []string{"settings.gradle", "settings.gradle.kts"} {
		if m := rootProject.FindSubmatch(p.read(name)); m != nil {
			return string(m[1])
		}
	}
	return ""
}
