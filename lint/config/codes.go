package config

import (
	"strings"

	"github.com/imgmgr/imgmgr/lint"
)

// Code is a check of hadolint.
type Code struct {
	Code     string // "DL3008"
	Severity lint.Severity
	What     string // what it reports
	// Differs says where our rule judges otherwise on purpose, also in the
	// profile for hadolint; "" where it doesn't.
	Differs string
}

// severities are those of hadolint's checks by code in lower case. What is off
// there is off in its profile.
func severities() map[string]lint.Severity {
	all := map[string]lint.Severity{}
	for _, c := range Codes() {
		all[strings.ToLower(c.Code)] = c.Severity
	}
	return all
}

// Codes are the checks of hadolint 2.15.1 with its severities, of which "style"
// is info here.
func Codes() []Code {
	return []Code{
		{"DL1001", lint.Off, "an ignore comment is used", ""},
		{"DL3000", lint.Error, "a relative WORKDIR", "is silent where an absolute WORKDIR stands above: the path is known then; a drive of Windows is absolute"},
		{"DL3001", lint.Info, "a command without a point in a container", ""},
		{"DL3002", lint.Warning, "the last USER is root", "only the final stage counts; where it has no USER, the base image decides"},
		{"DL3003", lint.Warning, "cd in place of WORKDIR", ""},
		{"DL3004", lint.Error, "sudo", ""},
		{"DL3006", lint.Warning, "an image without a tag", "a reference with a digest, or one that only a build argument decides, is no finding"},
		{"DL3007", lint.Warning, "the tag latest", ""},
		{"DL3008", lint.Warning, "apt-get install without versions", ""},
		{"DL3009", lint.Info, "lists of apt are left", "only the stages that the final image is made from count"},
		{"DL3010", lint.Info, "an archive is copied and then unpacked", ""},
		{"DL3011", lint.Error, "a port out of range", "BuildKit itself refuses it"},
		{"DL3012", lint.Error, "several HEALTHCHECKs", ""},
		{"DL3013", lint.Warning, "pip install without versions", ""},
		{"DL3014", lint.Warning, "apt-get install without -y", ""},
		{"DL3015", lint.Info, "apt-get install with recommended packages", ""},
		{"DL3016", lint.Warning, "npm install without versions", ""},
		{"DL3018", lint.Warning, "apk add without versions", ""},
		{"DL3019", lint.Info, "apk add without --no-cache", ""},
		{"DL3020", lint.Error, "ADD of local files", ""},
		{"DL3021", lint.Error, "COPY of several files to what is no folder", "BuildKit itself refuses it"},
		{"DL3022", lint.Warning, "COPY --from of an unknown stage", ""},
		{"DL3023", lint.Error, "COPY --from of the stage itself", "BuildKit itself refuses it"},
		{"DL3024", lint.Error, "two stages of one name", ""},
		{"DL3025", lint.Warning, "CMD or ENTRYPOINT in shell form", "BuildKit's own check decides"},
		{"DL3026", lint.Error, "a registry that is not trusted", ""},
		{"DL3027", lint.Warning, "apt in a script", ""},
		{"DL3028", lint.Warning, "gem install without versions", ""},
		{"DL3029", lint.Warning, "FROM --platform", "$BUILDPLATFORM and other variables are no finding, as with BuildKit"},
		{"DL3030", lint.Warning, "yum install without -y", ""},
		{"DL3032", lint.Warning, "yum without clean all", ""},
		{"DL3033", lint.Warning, "yum install without versions", ""},
		{"DL3034", lint.Warning, "zypper without -n or -y", ""},
		{"DL3035", lint.Warning, "zypper dist-upgrade", ""},
		{"DL3036", lint.Warning, "zypper without clean", ""},
		{"DL3037", lint.Warning, "zypper install without versions", ""},
		{"DL3038", lint.Warning, "dnf install without -y", ""},
		{"DL3040", lint.Warning, "dnf without clean all", ""},
		{"DL3041", lint.Warning, "dnf install without versions", ""},
		{"DL3042", lint.Warning, "pip install without --no-cache-dir", ""},
		{"DL3043", lint.Error, "ONBUILD with an instruction that it does not take", "BuildKit itself refuses it"},
		{"DL3044", lint.Error, "ENV that uses a variable which it sets itself", ""},
		{"DL3045", lint.Warning, "COPY to a relative path without WORKDIR", ""},
		{"DL3046", lint.Warning, "useradd with a high UID and without -l", ""},
		{"DL3047", lint.Info, "wget with its progress bar", ""},
		{"DL3048", lint.Info, "a label key of a wrong form", ""},
		{"DL3049", lint.Info, "a label is missing", ""},
		{"DL3050", lint.Info, "a label that is not allowed", ""},
		{"DL3051", lint.Warning, "an empty label", ""},
		{"DL3052", lint.Warning, "a label that is no URL", ""},
		{"DL3053", lint.Warning, "a label that is no time", ""},
		{"DL3054", lint.Warning, "a label that is no SPDX licence", ""},
		{"DL3055", lint.Warning, "a label that is no git hash", ""},
		{"DL3056", lint.Warning, "a label that is no semantic version", ""},
		{"DL3057", lint.Off, "no HEALTHCHECK", ""},
		{"DL3058", lint.Warning, "a label that is no e-mail address", ""},
		{"DL3059", lint.Info, "consecutive RUNs", ""},
		{"DL3060", lint.Info, "yarn install without cache clean", ""},
		{"DL3061", lint.Error, "an instruction before FROM", "BuildKit itself refuses it"},
		{"DL3062", lint.Warning, "go install without versions", ""},
		{"DL3063", lint.Warning, "a stage with a reserved name", ""},
		{"DL3064", lint.Warning, "a secret in ARG or ENV", "BuildKit's own check decides by name, and ours by value; fingerprints of public keys and empty ENVs are no finding"},
		{"DL3065", lint.Warning, "FROM --platform=$TARGETPLATFORM", ""},
		{"DL3066", lint.Info, "USER by name", ""},
		{"DL3067", lint.Warning, "a whole file system is copied", ""},
		{"DL4000", lint.Error, "MAINTAINER", ""},
		{"DL4001", lint.Warning, "both wget and curl", ""},
		{"DL4003", lint.Warning, "several CMDs", ""},
		{"DL4004", lint.Error, "several ENTRYPOINTs", ""},
		{"DL4005", lint.Warning, "/bin/sh is replaced", ""},
		{"DL4006", lint.Warning, "a pipe without pipefail", ""},
	}
}
