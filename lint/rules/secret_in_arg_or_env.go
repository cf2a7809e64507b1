package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// SecretInArgOrEnv finds secrets that are written into the Dockerfile.
var SecretInArgOrEnv = &lint.Rule{
	Name:     "SecretInArgOrEnv",
	Aliases:  []string{"SecretsUsedInArgOrEnv", "DL3064"},
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "Secret value in ARG or ENV",
		Why: `The value of an ENV is in the image's configuration, and that of an ARG in its history and provenance: everybody
who can pull the image reads them, and so does everybody who can read the Dockerfile. A secret that has been there once
has to be replaced. Hand it to the one step that needs it: RUN --mount=type=secret,id=token,env=TOKEN.

BuildKit's check SecretsUsedInArgOrEnv looks at names alone, and fires for ARG TOKEN without a value and for
ENV KEY=name. This rule looks at values. It fires where a variable with the name of a secret has one that is written out
and is no placeholder, path, number or variable, and it is an error, whatever the name, where the value has the form of a
known token (GitHub, GitLab, AWS, npm, Slack, a private key and so on). Names that end in _FILE, _PATH, _ID, _URL or
PUBLIC_KEY are quiet. The value is never repeated in the message.`,
		Bad:  file("FROM alpine:3.20\nENV DB_PASSWORD=hunter2horse\n"),
		Good: file("FROM alpine:3.20\nENV DB_PASSWORD_FILE=/run/secrets/db\nARG NPM_TOKEN\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			for _, v := range assignments(in) {
				reportSecret(p, in, v)
			}
		}
		return nil
	},
}

// assignment is NAME=value of an ARG or ENV.
type assignment struct{ name, value string }

// assignments are the values that an instruction sets.
func assignments(in *dockerfile.Instruction) []assignment {
	var all []assignment
	switch c := in.Command.(type) {
	case *instructions.EnvCommand:
		for _, kv := range c.Env {
			all = append(all, assignment{kv.Key, unquote(kv.Value)})
		}
	case *instructions.ArgCommand:
		for _, kv := range c.Args {
			if kv.Value != nil {
				all = append(all, assignment{kv.Key, unquote(*kv.Value)})
			}
		}
	}
	return all
}

func unquote(v string) string {
	v = strings.TrimSpace(v)
	for _, q := range []string{`"`, `'`} {
		if len(v) >= 2 && strings.HasPrefix(v, q) && strings.HasSuffix(v, q) {
			return v[1 : len(v)-1]
		}
	}
	return v
}

func reportSecret(p *lint.Pass, in *dockerfile.Instruction, v assignment) {
	var d lint.Diagnostic
	switch kind := tokenKind(v.value); {
	case kind != "":
		d.Severity = lint.Error
		d.Message = fmt.Sprintf("%s sets %s to what looks like %s, which everybody who gets the image or its history can read", in.Name, v.name, kind)
	case secretName(v.name) && !placeholder(v.name, v.value):
		d.Message = fmt.Sprintf("%s sets %s to a value that everybody who gets the image or its history can read", in.Name, v.name)
	default:
		return
	}
	d.Span = assignmentSpan(p.File, in, v.name)
	p.Report(d)
}

// assignmentSpan is the name in the instruction's own bytes.
func assignmentSpan(f *dockerfile.File, in *dockerfile.Instruction, name string) edit.Span {
	const space = "\t\n\f\r "
	body := in.Body.String()
	for at := 0; name != ""; at++ {
		i := strings.Index(body[at:], name)
		if i < 0 {
			break
		}
		at += i
		end := at + len(name)
		begins := at == 0 || strings.IndexByte(space+`"'`, body[at-1]) >= 0
		if ends := end == len(body) || strings.IndexByte(space+"=", body[end]) >= 0; begins && ends {
			return in.Body.Span(edit.Span{Start: at, End: end})
		}
	}
	return in.Span
}

// tokens are the forms of credentials that can't be anything else, as their
// issuers document them.
var tokens = []struct {
	kind string
	form *regexp.Regexp
}{
	{"a GitHub token", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})`)},
	{"a GitLab token", regexp.MustCompile(`\bglpat-[\w-]{20,}`)},
	{"an AWS access key", regexp.MustCompile(`\b(AKIA|ASIA)[A-Z2-7]{16}\b`)},
	{"an npm token", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`)},
	{"a PyPI token", regexp.MustCompile(`\bpypi-AgE[\w-]{50,}`)},
	{"a Docker Hub token", regexp.MustCompile(`\bdckr_(pat|oat)_[\w-]{20,}`)},
	{"a Slack token", regexp.MustCompile(`\bxox[abeoprs]-[A-Za-z0-9-]{10,}`)},
	{"a Slack webhook", regexp.MustCompile(`hooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{20,}`)},
	{"a Google API key", regexp.MustCompile(`\bAIza[\w-]{35}\b`)},
	{"a Stripe key", regexp.MustCompile(`\b[sr]k_live_[A-Za-z0-9]{20,}`)},
	{"a SendGrid key", regexp.MustCompile(`\bSG\.[\w-]{22}\.[\w-]{43}`)},
	{"a Hugging Face token", regexp.MustCompile(`\bhf_[A-Za-z]{34}\b`)},
	{"an Anthropic key", regexp.MustCompile(`\bsk-ant-[\w-]{30,}`)},
	{"an OpenAI key", regexp.MustCompile(`\bsk-(proj-)?[A-Za-z0-9_-]{40,}`)},
	{"a DigitalOcean token", regexp.MustCompile(`\bdo[opr]_v1_[a-f0-9]{64}`)},
	{"a private key", regexp.MustCompile(`-----BEGIN ([A-Z]+ )*PRIVATE KEY`)},
	{"a JSON web token", regexp.MustCompile(`\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}`)},
	{"a URL with a password", regexp.MustCompile(`^[a-z][a-z0-9+.-]*://[^\s:/@$]+:[^\s:/@$<>{}*]{4,}@[^\s@]`)},
}

// tokenKind says what credential the value is, or "".
func tokenKind(value string) string {
	for _, t := range tokens {
		found := t.form.FindString(value)
		if found == "" || strings.Contains(strings.ToUpper(found), "EXAMPLE") || repeats(found) {
			continue
		}
		if t.kind == "a URL with a password" {
			_, rest, _ := strings.Cut(found, "://")
			_, password, _ := strings.Cut(rest, ":")
			password, _, _ = strings.Cut(password, "@")
			if placeholder("", password) {
				continue
			}
		}
		return t.kind
	}
	return ""
}

// repeats reports a filler such as ghp_xxxxxxxx: eight equal characters in a
// row.
func repeats(s string) bool {
	run := 0
	for i := 1; i < len(s); i++ {
		if run++; s[i] != s[i-1] {
			run = 0
		}
		if run >= 7 {
			return true
		}
	}
	return false
}

// secretWords are the parts of a name that make it one of a secret.
var secretWords = []string{"password", "passwd", "pword", "passphrase", "pass", "pwd", "secret", "secrets", "token", "apikey", "credential", "credentials"}

// secretPairs are two parts in a row that do.
var secretPairs = []string{"api_key", "access_key", "secret_key", "private_key", "auth_key", "encryption_key", "signing_key", "master_key", "license_key"}

// harmlessEnds are last parts of a name that speak about a secret: where it is,
// how long it lives, who it belongs to.
var harmlessEnds = []string{
	"file", "files", "path", "dir", "url", "uri", "host", "endpoint", "server", "name", "user", "username", "id", "ids", "arn", "region", "version",
	"ttl", "expiry", "expires", "expiration", "timeout", "seconds", "days", "duration", "age", "length", "size", "count", "limit", "min", "max",
	"type", "header", "prefix", "suffix", "alg", "algorithm", "hash", "format", "mode", "policy", "required", "enabled", "disabled", "enable",
	"disable", "allowed", "allow", "alias", "issuer", "audience", "scope", "store", "backend", "provider", "engine", "manager", "map", "sha256", "md5",
	"checksum", "public", "pub", "dummy", "check", "validation", "reset", "regex", "field", "env", "var", "source", "ref",
}

// harmlessStarts are first parts of a name that say the same.
var harmlessStarts = []string{"no", "disable", "enable", "skip", "allow", "use", "require", "max", "min", "num", "has", "with", "show", "hide", "public"}

// secretName reports that the variable's name is one of a secret.
func secretName(name string) bool {
	parts := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '_' || r == '-' || r == '.' })
	if len(parts) == 0 || slices.Contains(harmlessEnds, parts[len(parts)-1]) || slices.Contains(harmlessStarts, parts[0]) || slices.Contains(parts, "public") {
		return false
	}
	if len(parts) == 1 && (parts[0] == "pass" || parts[0] == "pwd") {
		return false // PWD is the shell's own
	}
	joined := "_" + strings.Join(parts, "_") + "_"
	return slices.ContainsFunc(parts, func(part string) bool { return slices.Contains(secretWords, part) }) ||
		slices.ContainsFunc(secretPairs, func(pair string) bool { return strings.Contains(joined, "_"+pair+"_") })
}

var (
	notASecret = regexp.MustCompile(`(?i)^(\d{1,5}|true|false|yes|no|on|off|none|null|nil|undefined|unset|empty|disabled|enabled|optional|required|default|auto|n/?a|[-.*_x#?]+)$`)
	filler     = regexp.MustCompile(`(?i)(change.?(me|this|it)|replace.?(me|this|with)|place.?holder|dummy|example|your[-_ ]|[-_ ]here\b|todo|fixme|insert[-_ ]|fake|sample|not.?(a.?)?(real|set|used|secret)|unused|to.?be.?(set|provided)|set.?(me|in|at|by|via)|<[^>]*>|x{4,}|\.\.\.)`)
	locator    = regexp.MustCompile(`(?i)^(/|\./|~/|[a-z]:\\|(https?|file|s3|vault|ssm|arn|aws-?sm|op)[:/])`)
)

// placeholder reports a value that is no secret: empty, a variable, a path, a
// number, a word that asks to be replaced, or the variable's own name.
func placeholder(name, value string) bool {
	return value == "" || strings.Contains(value, "$") || strings.Trim(value, "0-:.") == "" || notASecret.MatchString(value) || filler.MatchString(value) ||
		locator.MatchString(value) || (name != "" && strings.EqualFold(value, name))
}
