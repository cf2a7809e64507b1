package ecosystem

import (
	"path"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// gradle is a build tool for Java and others, by its user manual ("The
// Directories and Files Gradle Uses", "Dependency Caching", "Command-Line
// Interface").
func gradle() *Tool {
	return &Tool{Name: "gradle", Match: matchGradle, Caches: gradleCaches, Cross: jvmCross, Example: Example{
		Base: "eclipse-temurin:21",
		Files: map[string]string{
			"build.gradle":    "",
			"settings.gradle": "",
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

// gradleCaches are caches and wrapper in the user home of Gradle, not the home
// itself, which holds settings, init scripts and keys. caches holds more than
// downloads: build results, transformed artifacts and compiled build scripts,
// of all projects. Gradle asks for changing modules and dynamic versions once a
// day ("Dynamic Versions and Changing Modules"). So the mounts are offered. Its
// locks are files in the folders, held by address and port, which another
// container can't reach: hence Locked.
func gradleCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	home, doubt := e.home()
	def := path.Join(home, ".gradle")
	if repository(e.Base) == "gradle" {
		// The official image has a VOLUME /home/gradle/.gradle and, for root, a
		// link to it.
		def, doubt = "/home/gradle/.gradle", "the base image makes /home/gradle/.gradle a VOLUME"
	}
	dir, guess := e.folder("GRADLE_USER_HOME", def, doubt)
	if f, ok := u.options.last("-g", "--gradle-user-home"); ok {
		guess = "Gradle is given another user home"
		if f.known && path.IsAbs(f.value) {
			dir, guess = path.Clean(f.value), ""
		}
	}
	if v, _, known := e.get("GRADLE_OPTS"); strings.Contains(v, "gradle.user.home") || !known && e.Open["GRADLE_OPTS"] {
		guess = "GRADLE_OPTS may move Gradle's user home"
	}
	c := Cache{
		Name: "caches", Path: path.Join(dir, "caches"), Guess: guess, Costs: "downloads every artifact again",
		ID: "imgmgr-gradle", PerBase: true, Locked: true, Fetched: true, Kept: true,
		Doubt: "Gradle's cache also holds what builds made, and versions that it looks up once a day only",
	}
	list := []Cache{c}
	if u.Command.Name() == "gradlew" {
		w := c
		w.Name, w.Path, w.Costs, w.ID = "wrapper", path.Join(dir, "wrapper"), "downloads Gradle itself again", "imgmgr-gradle-wrapper"
		list = append(list, w)
	}
	return list
}
