package rules

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// RemoteWithoutChecksum finds downloads that are used as they come.
var RemoteWithoutChecksum = &lint.Rule{
	Name:     "RemoteWithoutChecksum",
	Severity: lint.Warning,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "Download is used without verifying it",
		Why: `What a URL returns can change: by a new release under the same name, by a broken proxy, by somebody who took the
server over. Without a checksum or a signature the build runs or installs whatever comes, and the cache hides when it
changed.

ADD has --checksum=sha256:… for this, and a Git source a commit behind "#". In a RUN, "sha256sum -c", "gpg --verify",
"cosign verify-blob" and their like do it. The rule is silent where one of them runs in the same RUN (for ADD: later in
the stage), where the URL names a commit, for requests that only read or send something, and for signing keys and package
lists, with which packages are verified.

With --online, --fix downloads what an ADD names and writes the checksum that it has now: look whether that is the one which the file's
owner publishes. --checksum needs Dockerfile syntax 1.6: the fix is safe where the file shows that its builder reads that, as by
"# syntax=docker/dockerfile:1" on top.`,
		Bad:  file("FROM alpine:3.20\nADD https://example.com/tool-1.2.tar.gz /tmp/\nRUN curl -fsSL https://example.com/install.sh | sh\n"),
		Good: file("FROM alpine:3.20\nADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/tool-1.2.tar.gz /tmp/\nRUN curl -fsSLo install.sh https://example.com/install.sh && echo \"$SUM  install.sh\" | sha256sum -c && sh install.sh\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, st := range p.File.Stages {
			for i, in := range st.Instructions {
				switch c := in.Command.(type) {
				case *instructions.AddCommand:
					addSources(p, in, c, st.Instructions[i+1:])
				case *instructions.RunCommand:
					runDownloads(p, in)
				}
			}
		}
		return nil
	},
}

// addSources reports the remote sources of an ADD.
func addSources(p *lint.Pass, in *dockerfile.Instruction, c *instructions.AddCommand, later []*dockerfile.Instruction) {
	if c.Checksum != "" {
		return
	}
	verified := slices.ContainsFunc(later, func(o *dockerfile.Instruction) bool { return verifies(p.File.Script(o)) })
	for i, source := range c.SourcePaths {
		if expanded, ok := p.Expand(in, source); ok {
			source = expanded
		}
		message := ""
		if git, ok, _ := dfgitutil.ParseGitRef(source); ok && git != nil {
			message = gitMessage(source, git)
		} else if isURL(source) && !verified && !metadata(source, path.Base(c.DestPath)) && !pinnedURL(source, p.State(in).Env) {
			message = fmt.Sprintf("ADD takes whatever %s returns%s: it has no --checksum", withoutUser(source), plainHTTP(source))
		}
		if message == "" {
			continue
		}
		span := in.Span
		if i < len(in.Args) && len(c.SourceContents) == 0 {
			span = in.Args[i].Span
		}
		d := lint.Diagnostic{Span: span, Message: message}
		if digest := downloaded(p, in, c, source); digest != "" {
			at := in.Keyword.End
			d.Evidence = []lint.Evidence{{What: withoutUser(source), Says: "is " + digest + " now"}}
			d.Fix = &lint.Fix{
				Message: "Write the checksum that it has now", Safety: lint.Safe,
				Edits: []edit.Edit{{Span: edit.Span{Start: at, End: at}, New: " --checksum=" + digest, Origin: in.Keyword}},
			}
		}
		p.Report(d)
	}
}

// downloaded is the digest of the file that is an ADD's only source; "" where it
// isn't known, or where the address has variables, for whose other values the
// checksum wouldn't hold.
func downloaded(p *lint.Pass, in *dockerfile.Instruction, c *instructions.AddCommand, source string) string {
	if p.Facts.Downloads == nil || len(c.SourcePaths) != 1 || len(c.SourceContents) > 0 || c.SourcePaths[0] != source ||
		!strings.HasPrefix(source, "http") {
		return ""
	}
	if git, ok, _ := dfgitutil.ParseGitRef(source); ok && git != nil {
		return ""
	}
	digest, err := p.Facts.Downloads.Digest(p.Context, source)
	if err != nil {
		return "" // not known now; the finding stands without a fix
	}
	return digest
}

var (
	commit    = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
	commitURL = regexp.MustCompile(`[/@=-][0-9a-f]{40}([0-9a-f]{24})?([./?&-]|$)`)
)

// pinnedURL reports that the URL names a commit, which stands for its content:
// written out, in a known variable, or in one that says so by its name.
func pinnedURL(source string, env map[string]string) bool {
	source = withValues(source, env)
	pinned := slices.ContainsFunc(variableRef.FindAllStringSubmatch(source, -1), func(v []string) bool {
		return strings.Contains(strings.ToUpper(v[1]), "COMMIT")
	})
	return pinned || commitURL.MatchString(source)
}

func gitMessage(source string, git *dfgitutil.GitRef) string {
	switch {
	case commit.MatchString(git.Ref) || git.Checksum != "" || strings.Contains(git.Ref, "$"):
		return ""
	case git.Ref == "":
		return fmt.Sprintf("ADD clones the newest commit of %s: no commit pins it", source)
	}
	return fmt.Sprintf("ADD clones %s of %s, which can move: no commit pins it", git.Ref, git.Remote)
}

// runDownloads reports the downloads of a RUN.
func runDownloads(p *lint.Pass, in *dockerfile.Instruction) {
	s := p.File.Script(in)
	if s == nil || verifies(s) {
		return
	}
	env := maps.Clone(p.State(in).Env)
	for _, c := range s.Commands() {
		for _, a := range c.Assigns {
			delete(env, a.Name)
		}
	}
	for _, st := range s.Statements {
		for _, c := range st.Commands {
			source := remote(c, env)
			if source == "" {
				continue
			}
			use := used(p.File, st, c, source)
			if use == "" || pinnedURL(source, env) {
				continue
			}
			message := fmt.Sprintf("%s what %s gets from %s%s, and nothing verifies it", use, c.Name(), withoutUser(source), plainHTTP(source))
			p.Report(lint.Diagnostic{Span: c.Span, Message: message})
		}
	}
}

func plainHTTP(source string) string {
	if strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "ftp://") {
		return " without TLS"
	}
	return ""
}

// used says how a message begins on what the script does with a download of
// source, or "" when it only looks at it.
func used(f *dockerfile.File, st *shell.Statement, c *shell.Command, source string) string {
	if next := piped(f, st, c); next != nil {
		switch name := next.Name(); {
		case slices.Contains([]string{"sh", "bash", "ash", "dash", "zsh", "python", "python3", "perl", "ruby", "node", "php"}, name):
			return name + " runs"
		case slices.Contains([]string{"tar", "bsdtar", "unzip", "cpio", "gunzip", "gzip", "zcat", "xz", "unxz", "xzcat", "bzip2", "bunzip2", "bzcat", "zstd", "unzstd"}, name):
			return name + " unpacks"
		case slices.Contains([]string{"tee", "dd", "patch", "git", "install"}, name) && !metadata(source, lastPath(next)):
			return name + " takes"
		}
		return "" // jq, grep, apt-key: looked at, or a key
	}
	if substituted(f, c) {
		return "a shell runs"
	}
	target, ok := output(c, source)
	if !ok || metadata(source, target) {
		return ""
	}
	return "the build uses"
}

// lastPath is the last argument of a command: where tee and dd write to.
func lastPath(c *shell.Command) string {
	if args := c.Args(); len(args) > 0 {
		return strings.TrimPrefix(args[len(args)-1].Value, "of=")
	}
	return ""
}

// metadata reports what other downloads are verified with, or what isn't
// content: keys, signatures, checksums, repository definitions, and the state
// of a branch, which is fetched to break the cache.
func metadata(source, target string) bool {
	for _, name := range []string{source, target} {
		name, _, _ = strings.Cut(name, "?")
		switch path.Ext(name) {
		case ".asc", ".gpg", ".sig", ".sigstore", ".minisig", ".pub", ".key", ".pem", ".crt", ".cer", ".rsa", ".sha256", ".sha512", ".sha1", ".md5", ".sha256sum", ".sha512sum", ".sha", ".list", ".sources", ".repo":
			return true
		}
		lower := strings.ToLower(name)
		for _, part := range []string{"keyring", "trusted.gpg", "/yum.repos.d/", "/etc/apk/keys/", "sources.list", "sha256sum", "shasums", "sha512sum", "checksums", "/gpg"} {
			if strings.Contains(lower, part) {
				return true
			}
		}
	}
	return (strings.Contains(source, "api.github.com/repos/") && !strings.Contains(source, "ball/")) || strings.Contains(source, "/git/refs/") || strings.HasSuffix(source, "/key") || strings.Contains(source, "keyserver")
}

// verifies reports that the script checks something it has.
func verifies(s *shell.Script) bool {
	if s == nil {
		return false
	}
	return slices.ContainsFunc(s.Commands(), func(c *shell.Command) bool {
		name := c.Name()
		text := words(c)
		switch name {
		case "sha256sum", "sha512sum", "sha1sum", "sha224sum", "sha384sum", "md5sum", "b2sum", "shasum", "cksum", "sha256", "gpgv", "minisign", "signify", "slsa-verifier", "rhash", "xxhsum":
			return true
		case "gpg", "gpg2":
			return strings.Contains(text, " --verify") || strings.Contains(text, " --decrypt ")
		case "cosign", "gh", "notation":
			return strings.Contains(text, " verify")
		case "openssl":
			return strings.Contains(text, " dgst ") || strings.Contains(text, " sha256 ")
		case "rpm", "rpmkeys":
			return strings.Contains(text, " -K ") || strings.Contains(text, " --checksig ")
		case "jarsigner", "codesign":
			return true
		}
		return strings.Contains(text, "sha256sum") || strings.Contains(text, "hashlib") || strings.Contains(text, " verify_")
	})
}
