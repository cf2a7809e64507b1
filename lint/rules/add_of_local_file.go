package rules

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/edit"
)

// AddOfLocalFile finds ADD where COPY does.
var AddOfLocalFile = &lint.Rule{
	Name:     "AddOfLocalFile",
	Aliases:  []string{"DL3020"},
	Severity: lint.Info,
	Safety:   lint.Safe,
	Doc: lint.Doc{
		Title: "ADD of files that COPY would take",
		Why: `ADD downloads what looks like a URL, clones what looks like a repository, and unpacks what is an archive, whatever
its name. For files of the build context none of that is wanted, and a file that turns out to be an archive becomes a
folder of files. COPY only copies.

The fix is safe where the name or the build context shows that no source is an archive, and unsafe otherwise.`,
		Bad:  file("FROM alpine:3.20\nADD config.json /etc/app/\n"),
		Good: file("FROM alpine:3.20\nCOPY config.json /etc/app/\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, in := range p.File.Instructions {
			c, ok := in.Command.(*instructions.AddCommand)
			if !ok || len(c.SourceContents) > 0 || slices.ContainsFunc(c.SourcePaths, wantsAdd) {
				continue
			}
			fix := &lint.Fix{Message: "Write COPY", Safety: lint.Safe, Edits: []edit.Edit{{Span: in.Keyword, New: copyWord(in)}}}
			if slices.ContainsFunc(c.SourcePaths, func(s string) bool { return !plainFile(p, s) }) {
				fix.Safety, fix.Doubt = lint.Unsafe, "a source may be an archive, which ADD unpacks"
			}
			if slices.ContainsFunc(in.Flags, func(f dockerfile.Flag) bool {
				return !slices.Contains([]string{"chown", "chmod", "link", "exclude"}, f.Name)
			}) {
				fix = nil // flags that COPY doesn't take
			}
			p.Report(lint.Diagnostic{Span: in.Keyword, Message: "ADD also unpacks and downloads, which these sources don't need: COPY only copies", Fix: fix})
		}
		return nil
	},
}

func copyWord(in *dockerfile.Instruction) string {
	if in.Keyword.Of(in.Stage.File.Src) == "add" {
		return "copy"
	}
	return "COPY"
}

// archives are the ends of names that ADD unpacks: tar, alone or compressed by
// gzip, bzip2, xz or zstd (docs.docker.com, "ADD").
var archives = []string{".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".tar.lzma", ".tlz", ".tar.z", ".gz", ".bz2", ".xz", ".zst", ".lzma", ".z"}

// wantsAdd reports a source that only ADD can take: an address, an archive, or
// what a variable decides.
func wantsAdd(source string) bool {
	lower := strings.ToLower(source)
	return strings.Contains(source, "$") || strings.Contains(source, "://") || strings.HasPrefix(source, "git@") || strings.HasSuffix(lower, ".git") ||
		slices.ContainsFunc(archives, func(end string) bool { return strings.HasSuffix(lower, end) })
}

// plainFile reports a source that is certainly no archive.
func plainFile(p *lint.Pass, source string) bool {
	if source == "." || strings.HasSuffix(source, "/") {
		return true
	}
	name := strings.TrimPrefix(path.Clean("/"+source), "/")
	if p.Facts.Files != nil && name != "" && !strings.ContainsAny(source, "*?[") {
		if info, err := fs.Stat(p.Facts.Files, name); err == nil && info.IsDir() {
			return true
		}
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".json", ".yaml", ".yml", ".toml", ".ini", ".conf", ".cfg", ".txt", ".md", ".xml", ".html", ".css", ".js", ".ts", ".py", ".rb", ".go", ".php", ".java", ".jar", ".war",
		".sh", ".bash", ".sql", ".lock", ".mod", ".sum", ".crt", ".pem", ".key", ".properties", ".repo", ".list", ".service", ".zip", ".whl", ".deb", ".rpm", ".apk", ".gradle":
		return true
	}
	return false
}
