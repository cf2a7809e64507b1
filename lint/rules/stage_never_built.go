package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// StageNeverBuilt finds stages with checks that no build runs.
var StageNeverBuilt = &lint.Rule{
	Name:     "StageNeverBuilt",
	Severity: lint.Warning,
	Doc: lint.Doc{
		Title: "Stage with checks is never built",
		Why: `BuildKit builds the stages that the asked-for one needs, and skips the others. A stage that runs an audit, tests or
a linter, and from which nothing is copied, is skipped without a word: the check never fails, because it never runs. (The
classic builder ran every stage, which is why many Dockerfiles rely on it.)

Copy a file that the stage makes into the final one, or build the stage in CI with "docker build --target NAME". Where
the stage's name says that it is a target of its own ("test", "lint"), the finding is only a note; a stage with a CMD or
ENTRYPOINT, or with "--target" in the comment above it, is taken for one and not reported.`,
		Bad: file(`FROM node:22-alpine AS build
COPY . .
RUN npm ci && npm run build

FROM build AS security
RUN npm audit --audit-level=moderate

FROM node:22-alpine
COPY --from=build /dist /dist
`),
		Good: file(`FROM node:22-alpine AS build
COPY . .
RUN npm ci && npm run build

FROM build AS security
RUN npm audit --audit-level=moderate && touch /audited

FROM node:22-alpine
COPY --from=security /audited /tmp/
COPY --from=build /dist /dist
`),
	},
	Run: func(p *lint.Pass) error {
		needed := built(p)
		for _, st := range p.File.Stages {
			if needed[st] || saysTarget(st) {
				continue
			}
			if gate := firstGate(st); gate != "" {
				d := lint.Diagnostic{Span: st.From.Span, Message: skippedMessage(st, gate)}
				if ownTarget(st.Name) {
					d.Severity = lint.Info
				}
				p.Report(d)
			}
		}
		return nil
	},
}

// built are the stages that some build of this file runs: what the last stage,
// the target, and stages with a command of their own need.
func built(p *lint.Pass) map[*dockerfile.Stage]bool {
	all := p.File.NeededWith("", p.Facts.Args)
	add := func(target string) {
		for st := range p.File.NeededWith(target, p.Facts.Args) {
			all[st] = true
		}
	}
	for _, target := range append([]string{p.Facts.Target}, p.Facts.OtherTargets...) {
		if target != "" {
			add(target)
		}
	}
	for _, st := range p.File.Stages {
		if st.Name != "" && slices.ContainsFunc(st.Instructions, func(in *dockerfile.Instruction) bool {
			return in.Name == "CMD" || in.Name == "ENTRYPOINT"
		}) {
			add(st.Name)
		}
	}
	return all
}

func skippedMessage(st *dockerfile.Stage, gate string) string {
	if st.Name == "" {
		return fmt.Sprintf("BuildKit skips this stage, and with it %s: nothing that is built needs it; copy a file from it into the final stage", gate)
	}
	return fmt.Sprintf("BuildKit skips stage %s, and with it %s: nothing that is built needs it; copy a file from it into the final stage, or build it with --target %s", st.Name, gate, st.Name)
}

// saysTarget reports that a comment above the stage tells how to build it.
func saysTarget(st *dockerfile.Stage) bool {
	return slices.ContainsFunc(st.From.Lead, func(c dockerfile.Comment) bool { return strings.Contains(c.Text, "--target") })
}

// ownTarget reports a name that is likely given to --target.
func ownTarget(name string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' }), func(part string) bool {
		return slices.Contains([]string{"test", "tests", "tester", "testing", "lint", "linter", "linting", "check", "checks", "ci", "dev", "development", "e2e", "unit", "integration", "validate", "vendor", "coverage", "fmt", "format", "bench"}, part)
	})
}

// firstGate is the first command of the stage that is there to fail, or "".
func firstGate(st *dockerfile.Stage) string {
	runs, _ := runScripts(st)
	for _, r := range runs {
		for _, c := range r.script.Commands() {
			if text := gateName(c); text != "" {
				return text
			}
		}
	}
	return ""
}

// gates are commands that check and make nothing. Those with words are gates
// only when the first argument that isn't a flag is one of them.
var gates = map[string][]string{
	"npm":  {"audit", "test", "t"},
	"yarn": {"audit", "test", "lint"},
	"pnpm": {"audit", "test", "lint"},
	"bun":  {"test", "audit"},
	"deno": {"test", "lint", "check"},
	"go":   {"test", "vet"},

	"cargo": {"test", "clippy", "audit", "deny", "nextest"},
	"mvn":   {"test", "verify"}, "mvnw": {"test", "verify"},
	"gradle": {"test", "check"}, "gradlew": {"test", "check"},
	"dotnet": {"test"}, "swift": {"test"}, "mix": {"test"}, "sbt": {"test"},
	"make": {"test", "tests", "lint", "check", "vet", "audit"}, "just": {"test", "lint", "check"}, "task": {"test", "lint"},
	"composer": {"audit", "test"}, "bundle-audit": nil, "rake": {"test", "spec"},
	"ruff": {"check"}, "uv": nil, "safety": {"check", "scan"}, "cosign": {"verify", "verify-attestation"},
	"playwright": {"test"}, "cypress": {"run"}, "terraform": {"validate"}, "buf": {"lint", "breaking"},
	"semgrep": {"scan", "ci"}, "snyk": {"test"}, "trivy": {"fs", "filesystem", "rootfs", "config", "image", "repo"},
}

// checkers are programs that are gates whatever their arguments.
var checkers = []string{
	"golangci-lint", "staticcheck", "govulncheck", "gosec", "revive", "grype", "hadolint", "pytest", "py.test", "tox", "nox", "flake8",
	"pylint", "mypy", "pyright", "bandit", "pip-audit", "phpunit", "phpstan", "psalm", "rspec", "rubocop", "brakeman", "bats", "shellcheck",
	"eslint", "jest", "vitest", "mocha", "ctest", "checkov", "dockle", "clamscan", "gitleaks", "trufflehog", "yamllint", "markdownlint", "gotestsum",
	"actionlint", "stylelint", "tslint", "ava",
}

// runners start another program, whose words follow.
var runners = []string{"npx", "bunx", "poetry", "pipenv", "pdm", "uv", "uvx", "bundle", "pnpx", "python", "python3", "corepack", "xvfb-run", "coverage"}

// gateName says how a message names the command if it is a gate ("npm audit").
func gateName(c *shell.Command) string {
	list := []string{c.Name()}
	for _, w := range c.Args() {
		if v := w.Value; w.Literal && !strings.HasPrefix(v, "-") && !strings.Contains(v, "=") {
			list = append(list, v)
		}
	}
	for len(list) > 1 && slices.Contains(runners, list[0]) {
		list = list[1:]
		for len(list) > 1 && slices.Contains([]string{"run", "exec", "x", "tool"}, list[0]) {
			list = list[1:]
		}
	}
	name := strings.TrimSuffix(list[0], ".sh")
	if slices.Contains(checkers, name) {
		return name
	}
	if len(list) < 2 {
		return ""
	}
	verb := list[1]
	if slices.Contains([]string{"npm", "yarn", "pnpm", "bun"}, name) && (verb == "run" || verb == "run-script") && len(list) > 2 {
		script, _, _ := strings.Cut(list[2], ":")
		if slices.Contains([]string{"test", "lint", "audit", "check", "typecheck", "type-check", "e2e"}, script) {
			return name + " run " + list[2]
		}
		return ""
	}
	if slices.Contains(gates[name], verb) {
		return name + " " + verb
	}
	return ""
}
