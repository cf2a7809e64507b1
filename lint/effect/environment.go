package effect

import (
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// Every RUN gets all variables of ENV and ARG in its environment, named in it or
// not. Which of them its programs read is a matter of the programs: standard
// tools and package managers say so in their manuals.

// program is a program that a step starts, by what it reads of the
// environment.
type program struct {
	name string // "" where it isn't known
	// reads reports that the program heeds a variable; nil where it may heed any.
	reads func(variable string) bool
}

// programOf finds what a command starts.
func programOf(c *shell.Command) program {
	p := program{name: shown(c)}
	if (&Effect{}).started(c) != "" {
		return p
	}
	switch name := c.Name(); {
	case name == "" && len(c.Words) == 0, name == "unset":
		p.reads = readByShell
	case name == "env" || name == "printenv" || slices.Contains([]string{"set", "export", "readonly"}, name) && (len(c.Args()) == 0 || has(c, "p")):
		// prints what is set
	case compiles(name):
		// Scripts of configure read many, and make all that there are.
	case installers(name) != nil || mannerOf(name) == system || mannerOf(name) == users:
		p.reads = heeded
	case mannerOf(name) != 0:
		p.reads = readByTools
	default:
		if u := ecosystem.Find(c); u != nil && u.Heeds != nil {
			p.reads = func(variable string) bool { return u.Heeds(variable) || readByTools(variable) }
		}
	}
	return p
}

// compiles reports an installer that builds packages from source.
func compiles(name string) bool {
	return name == "pecl" || name == "install-php-extensions" || strings.HasPrefix(name, "docker-php-ext-")
}

// heeds is what stands against a step's programs seeing another value of a
// variable, or none; nil where no program reads it.
func (e Effect) heeds(variable string) *Obstacle {
	var doubt *Obstacle
	for _, p := range e.programs {
		switch {
		case p.reads == nil && doubt == nil:
			doubt = &Obstacle{Says: variable + " is set in between, and " + p.name + " may read it"}
		case p.reads != nil && p.reads(variable):
			return &Obstacle{Certain: true, Says: variable + " is set in between, and " + p.name + " heeds it"}
		}
	}
	return doubt
}

// readByShell: sh and bash (POSIX "sh", Environment Variables; bash(1), Shell
// Variables).
func readByShell(name string) bool {
	return hasPrefix(name, "BASH", "LC_", "LD_") || strings.HasPrefix(name, "PS") && len(name) == 3 ||
		slices.Contains([]string{
			"CDPATH", "COLUMNS", "ENV", "FIGNORE", "FPATH", "FUNCNEST", "GLOBIGNORE", "HOME", "HOSTFILE", "IFS", "IGNOREEOF", "LANG", "LINES",
			"LINENO", "MAIL", "MAILCHECK", "MAILPATH", "NLSPATH", "OLDPWD", "OPTERR", "OPTIND", "PATH", "POSIXLY_CORRECT", "PPID", "PWD",
			"SHELLOPTS", "SHLVL", "TERM", "TIMEFORMAT", "TMOUT", "TMPDIR", "TZ", "_",
		}, name)
}

// readByTools: the standard tools of mannerOf, by the manuals of coreutils, sed,
// grep, findutils, tar and what it calls, unzip, curl, wget, gpg, BusyBox, and
// of the C libraries below them.
func readByTools(name string) bool {
	upper := strings.ToUpper(name)
	return readByShell(name) || searched(name) || strings.HasSuffix(upper, "_PROXY") || strings.HasSuffix(upper, "BLOCK_SIZE") ||
		hasPrefix(name, "GREP_", "LS_", "TAR_", "GZIP", "BZIP", "XZ_", "ZSTD_", "UNZIP", "ZIP", "MALLOC_", "GLIBC_", "SSH_", "GPG_", "WGET", "LESS", "COREUTILS_") ||
		slices.Contains([]string{
			"BLOCKSIZE", "COLS", "DATEMSK", "EDITOR", "GETDATE", "HOSTALIASES", "LANGUAGE", "LOCALDOMAIN", "LOGNAME", "NETRC", "PAGER", "QLOGDIR", "QUOTING_STYLE",
			"RES_OPTIONS", "SIMPLE_BACKUP_SUFFIX", "SOURCE_DATE_EPOCH", "SSLKEYLOGFILE", "TABSIZE", "TAPE", "TIME_STYLE", "USER", "VERSION_CONTROL", "VISUAL", "_POSIX2_VERSION",
		}, name)
}

// heeded reports that package managers, or the scripts of packages, heed this
// variable (apt.conf(5), dpkg(1), debconf(7), apk(8), environ(7)). Programs of
// Debian must not depend on variables for reasonable defaults (Policy 9.9); of
// the 408 scripts of the packages of a development machine with Debian 12, none
// reads one that it doesn't set itself but those of dpkg and debconf. What
// compiles at installation, as kernel modules do, reads a compiler's.
func heeded(name string) bool {
	upper := strings.ToUpper(name)
	return readByTools(name) || hasPrefix(upper, "DPKG_", "DEB", "APT_", "APK_", "RPM_", "DNF", "YUM", "ZYPP", "UCF_", "SYSTEMD_", "DBUS_", "PKG_CONFIG", "KERNEL", "DKMS") ||
		slices.Contains([]string{
			"ACCEPT_EULA", "RUNLEVEL", "POLICYRCD", "CONTAINER", "ROOT", "SYSROOT", "INSTALL_ROOT", "HOSTNAME", "BROWSER", "DISPLAY", "SUDO_USER", "SUDO_UID", "NO_COLOR",
			"DEBUG", "VERBOSE", "QUIET", "TRACE", "FORCE", "ARCH", "OS",
			"AR", "AS", "CC", "CFLAGS", "CPP", "CPPFLAGS", "CROSS_COMPILE", "CXX", "CXXFLAGS", "DESTDIR", "LD", "LDFLAGS", "LIBS", "MAKEFLAGS", "MFLAGS", "GNUMAKEFLAGS", "PREFIX", "RANLIB",
		}, upper)
}

// searched reports that programs which packages run look for code or settings
// where this variable says.
func searched(name string) bool {
	if strings.HasSuffix(name, "PATH") || strings.HasSuffix(name, "_CONFIG") || strings.HasSuffix(name, "_OPTIONS") || strings.HasSuffix(name, "RC") {
		return true
	}
	if slices.Contains([]string{"HOME", "ENV", "BASH_ENV", "TMP", "TEMP", "TMPDIR", "SHELL", "JAVA_HOME", "VIRTUAL_ENV", "TERMINFO", "GCONV_PATH", "LOCPATH"}, name) {
		return true
	}
	return readByGit(name) || hasPrefix(name, "LD_", "PYTHON", "PERL", "RUBY", "GEM_", "NODE_PATH", "NODE_OPTIONS", "LUA_", "APT_", "DPKG_", "DEB", "APK_", "RPM_", "DNF", "XDG_", "GNUPG", "SSL_", "OPENSSL_", "CURL_")
}

// readByGit: git(1) names dozens of variables, and more are for its own tests.
// What projects call after git's terms is none of them.
func readByGit(name string) bool {
	rest, ok := strings.CutPrefix(name, "GIT_")
	return ok && !slices.Contains([]string{
		"BRANCH", "COMMIT", "COMMIT_DATE", "COMMIT_HASH", "COMMIT_ID", "COMMIT_SHA", "COMMIT_SHORT", "COMMIT_TIME", "DATE", "DESCRIBE", "DIRTY", "HASH", "HEAD",
		"REF", "REPO", "REPOSITORY", "REV", "REVISION", "SHA", "SHA1", "SHORT_COMMIT", "SHORT_HASH", "SHORT_SHA", "STATE", "TAG", "TREE_STATE", "URL", "VERSION",
	}, rest)
}

func hasPrefix(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(s, prefix) })
}
