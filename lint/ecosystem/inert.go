package ecosystem

import (
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// ofSystem reports a command that is called by its name alone, or lies in a
// folder of the system's programs: "./install" is a program of the project.
func ofSystem(c *shell.Command) bool {
	if len(c.Words) == 0 || !strings.Contains(c.Words[0].Value, "/") {
		return true
	}
	return slices.Contains([]string{"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"}, path.Dir(c.Words[0].Value))
}

// Inert reports that a command is a standard tool that starts no compiler and
// no package manager of a project, installs nothing into the system, and
// leaves the environment of later commands alone. Of a command that isn't here
// nothing is known.
func Inert(c *shell.Command) bool {
	if len(c.Words) == 0 {
		return true // sets variables of the shell
	}
	if !ofSystem(c) {
		return false
	}
	switch c.Name() {
	case "[", "[[", "test", "true", "false", ":", "set", "echo", "printf", "export", "unset", "readonly", "local", "cd", "pushd", "popd", "umask",
		"exit", "return", "trap", "shift", "wait", "sleep", "shopt", "ulimit", "type", "which", "command", "hash",
		"mkdir", "rmdir", "rm", "cp", "mv", "install", "ln", "touch", "chmod", "chown", "chgrp", "ls", "du", "df", "stat", "file", "find", "pwd", "mktemp", "realpath", "readlink",
		"dirname", "basename", "cat", "head", "tail", "tee", "grep", "egrep", "fgrep", "sed", "awk", "cut", "tr", "sort", "uniq", "wc", "diff", "cmp", "xxd", "od",
		"date", "id", "whoami", "uname", "hostname", "env", "printenv", "nproc", "arch", "getconf", "ldd", "strip", "upx", "size", "nm", "objdump", "readelf",
		"tar", "gzip", "gunzip", "xz", "unxz", "bzip2", "zip", "unzip", "zstd", "sha256sum", "sha512sum", "sha1sum", "md5sum", "base64", "openssl", "gpg", "jq", "yq",
		"curl", "wget", "git", "ssh-keyscan",
		"corepack", // brings a package manager; what starts one through it is that tool's
		"useradd", "adduser", "groupadd", "addgroup", "usermod", "userdel", "passwd", "chpasswd", "setcap", "update-ca-certificates":
		return true
	}
	return false
}

// System reports that a command belongs to the system's package manager or
// linker: it changes the system, and needs no cache of a language's tools.
func System(c *shell.Command) bool {
	if !ofSystem(c) {
		return false
	}
	switch c.Name() {
	case "apt-get", "apt", "apt-key", "apt-cache", "apt-mark", "apt-config", "aptitude", "add-apt-repository", "dpkg", "dpkg-query", "dpkg-divert", "dpkg-reconfigure", "debconf-set-selections",
		"apk", "yum", "dnf", "microdnf", "tdnf", "zypper", "pacman", "rpm", "rpmkeys", "conda", "mamba", "micromamba", "ldconfig", "locale-gen", "update-alternatives", "update-locale":
		return true
	}
	return false
}
