package effect

import (
	"slices"
	"strings"
)

// grade is how sure it is that packages of the system touch a place.
type grade int

const (
	never grade = iota
	perhaps
	surely
)

// systemFolders are the folders of the Filesystem Hierarchy Standard 3.0, by
// what packages do there. Debian's policy (9.1.1, 9.1.2), Fedora's and Alpine's
// packaging guidelines keep packages to those; they leave /usr/local, /opt,
// /srv, /mnt, /media and the homes to the owner of the system, though tools look
// into them and some packages make a folder there. The longest match counts. A
// folder that isn't here is no package's.
func systemFolders() map[string]grade {
	return map[string]grade{
		"/":    perhaps, // as a destination; see systemTouches
		"/bin": surely, "/sbin": surely, "/lib": surely, "/lib32": surely, "/lib64": surely, "/libx32": surely, "/libexec": surely,
		"/boot": surely, "/dev": surely, "/etc": surely, "/proc": surely, "/run": surely, "/sys": surely,
		"/usr": perhaps, "/usr/bin": surely, "/usr/sbin": surely, "/usr/lib": surely, "/usr/lib32": surely, "/usr/lib64": surely, "/usr/libx32": surely,
		"/usr/libexec": surely, "/usr/include": surely, "/usr/share": surely, "/usr/games": surely,
		"/usr/share/nginx": perhaps,
		// The place that Docker Hub's own images for languages name in their
		// documentation. /usr/src is for the sources of kernels and the like,
		// each in a folder of its package's name.
		"/usr/src": perhaps, "/usr/src/app": never,
		"/usr/local": perhaps, "/usr/local/share/ca-certificates": surely, "/usr/local/share/keyrings": surely,
		"/var": perhaps, "/var/lib": surely, "/var/cache": surely, "/var/log": surely, "/var/spool": surely, "/var/run": surely, "/var/lock": surely,
		"/opt": perhaps, "/srv": perhaps, "/mnt": perhaps, "/media": perhaps, "/root": perhaps, "/tmp": perhaps,
	}
}

// systemTouches says whether packages touch p or what lies in it.
func systemTouches(p string) grade {
	folders := systemFolders()
	if p == "/" {
		return perhaps
	}
	for at := p; at != "" && at != "/"; at = at[:strings.LastIndexByte(at, '/')] {
		if g, ok := folders[at]; ok {
			return g
		}
	}
	return never
}

// standard reports that every Linux image has this folder, or gets the same one
// from whoever makes it first.
func standard(dir string) bool {
	return slices.Contains([]string{
		"/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/tmp",
		"/usr", "/usr/bin", "/usr/include", "/usr/lib", "/usr/local", "/usr/local/bin", "/usr/local/lib", "/usr/local/share", "/usr/sbin", "/usr/share", "/usr/src",
		"/var", "/var/cache", "/var/lib", "/var/log", "/var/spool", "/var/tmp",
	}, dir)
}

// addOn reports a place in a folder that the hierarchy gives to software and
// data which come from elsewhere, each in a folder of its own.
func addOn(p string) bool {
	return slices.ContainsFunc([]string{"/opt/", "/srv/", "/mnt/", "/media/"}, func(folder string) bool { return strings.HasPrefix(p, folder) })
}
