package rules

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// NeedlessFilesCopied finds COPYs of a whole folder that take in what no image
// needs.
var NeedlessFilesCopied = &lint.Rule{
	Name:     "NeedlessFilesCopied",
	Severity: lint.Info,
	Doc: lint.Doc{
		Title: "COPY of a folder takes in what has nothing to do with the image",
		Why: `COPY . . is built again when any file below the folder changes. With .git in it that is every commit, with the
Dockerfile in it every try of another last line, and with node_modules it is what was installed for another system,
over what the build has installed. In the final image they are bytes, and .git is the whole history of the sources.

The rule looks at the build context, with .dockerignore applied, and names the lines that .dockerignore lacks.`,
		Bad:  lint.Example{Dockerfile: "FROM node:22\nCOPY . /app\n", Files: map[string]string{".git/HEAD": "ref: refs/heads/main\n", "server.js": "x"}},
		Good: lint.Example{Dockerfile: "FROM node:22\nCOPY . /app\n", Files: map[string]string{".dockerignore": ".git\nDockerfile\n", "server.js": "x"}},
	},
	Run: func(p *lint.Pass) error {
		if p.Facts.Files == nil {
			return nil
		}
		for _, in := range p.File.Instructions {
			for _, folder := range copiedFolders(in) {
				if lines := needless(p, in, folder); len(lines) > 0 {
					p.Report(lint.Diagnostic{
						Span:     in.Span,
						Message:  fmt.Sprintf("%s also takes in %s: leave it out by .dockerignore", in.Name, list(lines)),
						Evidence: []lint.Evidence{{What: "lines for .dockerignore", Says: strings.Join(lines, "\n")}},
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

// needless are the names below a folder that no image needs.
func needless(p *lint.Pass, in *dockerfile.Instruction, folder string) []string {
	if info, err := fs.Stat(p.Facts.Files, folder); err != nil || !info.IsDir() {
		return nil
	}
	if excludes(in) {
		return nil
	}
	var lines []string
	for _, name := range []string{".git", "node_modules", ".venv", "__pycache__", "Dockerfile", "docker-compose.yml", "compose.yaml", ".github", ".gitlab-ci.yml"} {
		if inContext(p, path.Join(folder, name)) {
			lines = append(lines, path.Join(folder, name))
		}
	}
	return lines
}

// excludes reports --exclude, whose patterns aren't read here.
func excludes(in *dockerfile.Instruction) bool {
	_, ok := in.Flag("exclude")
	return ok
}
