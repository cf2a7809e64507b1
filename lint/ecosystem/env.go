package ecosystem

import (
	"path"
	"strings"
)

// Env is the environment of one command.
type Env struct {
	Home      string // where HomeKnown; else a guess
	HomeKnown bool
	// UID is the number of the user where UIDKnown.
	UID      int
	UIDKnown bool
	// Vars are the variables whose value is known.
	Vars map[string]string
	// Open are variables that are set to a value that isn't known.
	Open map[string]bool
	// Image are the variables that the base image's configuration sets.
	Image map[string]string
	// Complete reports that a variable in neither isn't set; otherwise Why says
	// what isn't known.
	Complete bool
	Why      string
	// Base is the reference of the base image; "" when it isn't known.
	Base string
	// Project is the project in the command's folder.
	Project Project
}

// get returns a variable's value; known is false where it may have another.
func (e Env) get(name string) (value string, set, known bool) {
	if e.Open[name] {
		return "", false, false
	}
	value, set = e.Vars[name]
	return value, set, set || e.Complete
}

// folder is a path that a variable may name. Where the variable isn't set it is
// def. The guess says what isn't known.
func (e Env) folder(name, def, guess string) (dir, doubt string) {
	value, set, known := e.get(name)
	switch {
	case set && value != "" && path.IsAbs(value):
		return path.Clean(value), ""
	case set && value != "":
		return def, name + "=" + value + " is no absolute path"
	case !known && e.Open[name]:
		return def, "the value of " + name + " is not known"
	case !known:
		return def, e.Why
	}
	return def, guess
}

// home is the home folder with the doubt about it.
func (e Env) home() (dir, doubt string) {
	if e.HomeKnown {
		return e.Home, ""
	}
	dir = e.Home
	if dir == "" {
		dir = "/root"
	}
	return dir, "the HOME of this step is not known"
}

// repository is an image reference without tag, digest, Docker Hub's own
// prefixes and those of its public mirrors: "golang" for
// docker.io/library/golang:1.26@sha256:….
func repository(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndex(ref, ":"); i > strings.LastIndex(ref, "/") {
		ref = ref[:i]
	}
	for _, prefix := range []string{"index.docker.io/", "docker.io/", "mirror.gcr.io/", "public.ecr.aws/docker/", "library/"} {
		ref = strings.TrimPrefix(ref, prefix)
	}
	return ref
}
