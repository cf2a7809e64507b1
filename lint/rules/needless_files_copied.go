package rules

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/patternmatcher"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/facts"
)

// NeedlessFilesCopied finds COPYs of a whole folder that take in what no image
// needs.
var NeedlessFilesCopied = &lint.Rule{
	Name:     "NeedlessFilesCopied",
	Severity: lint.Info,
	Safety:   lint.Unsafe,
	Doc: lint.Doc{
		Title: "COPY of a folder takes in what has nothing to do with the image",
		Why: `COPY . . is built again when any file below the folder changes. With .git in it that is every commit, with the
Dockerfile in it every try of another last line, and with node_modules it is what was installed for another system,
over what the build has installed. In the final image they are bytes, and .git is the whole history of the sources.

The rule looks at the build context, with .dockerignore applied, and names the lines that .dockerignore lacks, the largest first. dist is
among them where the stage builds it anew.

The fix adds the lines to .dockerignore. It is unsafe, for the image lacks the files then: a step may read .git to learn the version.`,
		Bad:  lint.Example{Dockerfile: "FROM node:22\nCOPY . /app\n", Files: map[string]string{".git/HEAD": "ref: refs/heads/main\n", "server.js": "x"}},
		Good: lint.Example{Dockerfile: "FROM node:22\nCOPY . /app\n", Files: map[string]string{".dockerignore": ".git\nDockerfile\n", "server.js": "x"}},
	},
	Run: func(p *lint.Pass) error {
		if p.Facts.Files == nil {
			return nil
		}
		for _, in := range p.File.Instructions {
			for _, folder := range copiedFolders(in) {
				if found := needless(p, in, folder); len(found) > 0 {
					var lines, says []string
					for _, f := range found {
						lines = append(lines, f.name)
						if f.amount.Bytes >= 1e6 {
							f.name += fmt.Sprintf(" (%s)", f.amount)
						}
						says = append(says, f.name)
					}
					p.Report(lint.Diagnostic{
						Span:     in.Span,
						Message:  fmt.Sprintf("%s also takes in %s: leave it out by .dockerignore", in.Name, list(says)),
						Evidence: []lint.Evidence{{What: "lines for .dockerignore", Says: strings.Join(lines, "\n")}},
						Fix:      ignoring(lines, lint.Unsafe),
					})
				}
			}
		}
		return nil
	},
}

// copiedFolders are the copiedSources that are no pattern, variable or address.
func copiedFolders(in *dockerfile.Instruction) []string {
	return slices.DeleteFunc(copiedSources(in), func(s string) bool { return strings.ContainsAny(s, "*?[$:") })
}

// copiedSources are the sources of COPY or ADD in the build context, clean and
// without a slash in front.
func copiedSources(in *dockerfile.Instruction) []string {
	var sources []string
	switch c := in.Command.(type) {
	case *instructions.CopyCommand:
		if c.From == "" {
			sources = c.SourcePaths
		}
	case *instructions.AddCommand:
		sources = c.SourcePaths
	}
	var clean []string
	for _, s := range sources {
		clean = append(clean, cmp.Or(path.Clean("/" + s)[1:], "."))
	}
	return clean
}

// needlessFile is what a COPY takes in without a use.
type needlessFile struct {
	name   string
	amount facts.Amount // zero where it isn't known
}

// needless are the names below a folder that no image needs, the largest first.
func needless(p *lint.Pass, in *dockerfile.Instruction, folder string) []needlessFile {
	if info, err := fs.Stat(p.Facts.Files, folder); err != nil || !info.IsDir() {
		return nil
	}
	left, ok := leftOut(in)
	if !ok && excludes(in) {
		return nil // --exclude with variables
	}
	names := needlessNames[:]
	if own := path.Base(p.File.Name); strings.Contains(strings.ToLower(own), "dockerfile") && own != "Dockerfile" {
		names = append([]string{own}, names...)
	}
	if buildsBelow(p, in) {
		names = append([]string{"dist"}, names...)
	}
	var list []needlessFile
	for _, name := range names {
		if left != nil && matched(left, name) {
			continue
		}
		if name = path.Join(folder, name); inContext(p, name) {
			amount, _ := facts.Measure(p.Facts.Files, name, 5000, nil) // unknown is zero
			list = append(list, needlessFile{name, amount})
		}
	}
	slices.SortStableFunc(list, func(a, b needlessFile) int { return cmp.Compare(b.amount.Bytes/1e6, a.amount.Bytes/1e6) })
	return list
}

var needlessNames = [...]string{
	".git", "node_modules", ".venv", "__pycache__", "Dockerfile", "docker-compose.yml", "compose.yaml", ".github", ".gitlab-ci.yml",
	"coverage", ".nyc_output", ".pytest_cache", ".mypy_cache", ".tox", ".terraform", "npm-debug.log", "yarn-error.log", ".DS_Store",
}

// buildsBelow reports that the stage runs a build script of the project's behind
// the COPY.
func buildsBelow(p *lint.Pass, in *dockerfile.Instruction) bool {
	return slices.ContainsFunc(installs(p), func(u install) bool {
		return u.in.Stage == in.Stage && u.in.Span.Start > in.Span.Start && u.Script == "build"
	})
}

// matched reports that --exclude leaves a name out, or may.
func matched(left *patternmatcher.PatternMatcher, name string) bool {
	out, err := left.MatchesOrParentMatches(name)
	return err != nil || out
}

// excludes reports --exclude.
func excludes(in *dockerfile.Instruction) bool {
	_, ok := in.Flag("exclude")
	return ok
}
