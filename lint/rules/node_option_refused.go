package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
	"github.com/imgmgr/imgmgr/lint/shell"
)

// NodeOptionRefused finds options that the image's Node.js refuses to start with.
var NodeOptionRefused = &lint.Rule{
	Name:     "NodeOptionRefused",
	Severity: lint.Error,
	Doc: lint.Doc{
		Title: "Node.js in the image refuses an option that it is started with",
		Why: `node ends with "bad option" where it doesn't know an option, and with "is not allowed in NODE_OPTIONS" where it takes it on the
command line alone. npm and every other program of JavaScript end with it. --openssl-legacy-provider is known from Node.js 17 on, and an ENV that
has it breaks an image with an older one; --optimize-for-size and --gc-interval are for the command line.

The rule knows the official images of Node.js 14 to 24 and distroless' by tag, and options that were tried with 14, 16, 18, 20,
22 and 24; of a release in between it speaks where both neighbours refuse. It looks at ENV NODE_OPTIONS, at the variable in front of commands, and at node in CMD and
ENTRYPOINT.`,
		Bad:  file("FROM node:16\nENV NODE_OPTIONS=--openssl-legacy-provider\nCMD [\"node\", \"server.js\"]\n"),
		Good: file("FROM node:20\nENV NODE_OPTIONS=--openssl-legacy-provider\nCMD [\"node\", \"server.js\"]\n"),
	},
	Run: func(p *lint.Pass) error {
		for _, st := range p.File.Stages {
			base, ok := p.BaseRef(origin(st))
			release := nodeRelease(base)
			if !ok || release == 0 {
				continue
			}
			n := nodeIn{p, base, release}
			for _, in := range st.Instructions {
				n.look(in)
			}
		}
		for _, c := range commands(p) {
			base, ok := p.BaseRef(origin(c.in.Stage))
			if release := nodeRelease(base); ok && release != 0 && c.Name() != "" {
				for _, a := range c.Assigns {
					if a.Name == "NODE_OPTIONS" {
						nodeIn{p, base, release}.environment(lint.Diagnostic{Span: c.Span}, a.Value.Value)
					}
				}
			}
		}
		return nil
	},
}

// nodeIn is the Node.js of an image.
type nodeIn struct {
	pass    *lint.Pass
	base    string
	release int
}

func (n nodeIn) look(in *dockerfile.Instruction) {
	d := lint.Diagnostic{Span: in.Span}
	switch c := in.Command.(type) {
	case *instructions.EnvCommand:
		for _, kv := range c.Env {
			if kv.Key == "NODE_OPTIONS" {
				n.environment(d, strings.Trim(kv.Value, `"'`))
			}
		}
	case *instructions.CmdCommand, *instructions.EntrypointCommand:
		final := n.pass.File.Final(n.pass.Facts.Target)
		if final == nil || startCommand(final) != in {
			return
		}
		list, _ := commandsOf(n.pass.File, in)
		if !in.JSON {
			list = shell.Parse(in.Body, shell.POSIX).Commands()
		}
		for _, c := range list {
			if c.Name() == "node" {
				n.commandLine(d, c)
			}
		}
	}
}

// environment reports options that NODE_OPTIONS may not hold.
func (n nodeIn) environment(d lint.Diagnostic, value string) {
	for _, word := range strings.Fields(value) {
		if option, ok := nodeOptions[nodeOptionName(word)]; ok && n.refuses(option.environment, option.gone) {
			d.Message = fmt.Sprintf("%s has Node.js %d, which doesn't start: %s is not allowed in NODE_OPTIONS", n.base, n.release, word)
			n.pass.Report(d)
		}
	}
}

// commandLine reports options in front of the program.
func (n nodeIn) commandLine(d lint.Diagnostic, c *shell.Command) {
	for _, w := range c.Args() {
		if !strings.HasPrefix(w.Value, "-") {
			return
		}
		if option, ok := nodeOptions[nodeOptionName(w.Value)]; ok && n.refuses(option.commandLine, option.gone) {
			d.Message = fmt.Sprintf("%s has Node.js %d, which doesn't start: it doesn't know %s", n.base, n.release, w.Value)
			n.pass.Report(d)
		}
	}
}

// refuses reports a release before the first that takes an option, or from the one
// that has it no longer; 0 stands for all and for none.
func (n nodeIn) refuses(from, gone int) bool {
	tried := func(release int) bool { return release < from || gone > 0 && release >= gone }
	return tried(n.release-n.release%2) && tried(n.release+n.release%2)
}

// nodeOption says from which release Node.js takes an option on its command
// line, from which in NODE_OPTIONS, and from which it has it no longer.
type nodeOption struct{ commandLine, environment, gone int }

// neverYet is no release that was tried.
const neverYet = 99

// nodeOptions were tried with the last releases of Node.js 14, 16, 18, 20, 22 and
// 24: each was started with the option in either place.
var nodeOptions = map[string]nodeOption{
	"always-compact":                  {0, neverYet, 18},
	"build-snapshot":                  {16, neverYet, 0},
	"cpu-prof":                        {0, 22, 0},
	"disable-warning":                 {20, 20, 0},
	"env-file":                        {20, neverYet, 0},
	"env-file-if-exists":              {20, neverYet, 0},
	"experimental-default-type":       {18, 18, 24},
	"experimental-detect-module":      {20, 20, 0},
	"experimental-eventsource":        {20, 20, 0},
	"experimental-fetch":              {16, 16, 0},
	"experimental-permission":         {20, 20, 24},
	"experimental-policy":             {0, 0, 22},
	"experimental-require-module":     {20, 20, 0},
	"experimental-sqlite":             {22, 22, 0},
	"experimental-strip-types":        {22, 22, 0},
	"experimental-transform-types":    {22, 22, 0},
	"experimental-websocket":          {20, 20, 0},
	"experimental-webstorage":         {22, 22, 0},
	"expose-gc":                       {0, 20, 0},
	"gc-global":                       {0, neverYet, 0},
	"gc-interval":                     {0, neverYet, 0},
	"harmony":                         {0, neverYet, 0},
	"heap-prof":                       {0, 20, 0},
	"huge-max-old-generation-size":    {0, 0, 24},
	"import":                          {18, 18, 0},
	"max-executable-size":             {neverYet, neverYet, 0},
	"max-heap-size":                   {0, 24, 0},
	"max-lazy":                        {0, neverYet, 0},
	"max-new-space-size":              {neverYet, neverYet, 0},
	"max-old-space-size-percentage":   {22, 22, 0},
	"max-semi-space-size":             {0, 18, 0},
	"minor-mc":                        {0, neverYet, 22},
	"no-experimental-fetch":           {16, 16, 0},
	"no-experimental-require-module":  {20, 20, 0},
	"no-experimental-strip-types":     {22, 22, 0},
	"no-experimental-websocket":       {20, 20, 0},
	"no-network-family-autoselection": {20, 20, 0},
	"no-opt":                          {0, neverYet, 0},
	"nolazy":                          {0, neverYet, 0},
	"nouse-idle-notification":         {0, neverYet, 24},
	"openssl-legacy-provider":         {18, 18, 0},
	"optimize-for-size":               {0, neverYet, 0},
	"permission":                      {22, 22, 0},
	"predictable":                     {0, neverYet, 0},
	"prof":                            {0, neverYet, 0},
	"run":                             {22, neverYet, 0},
	"semi-space-growth-factor":        {0, neverYet, 0},
	"single-threaded":                 {0, neverYet, 0},
	"snapshot-blob":                   {18, 18, 0},
	"stack-size":                      {0, neverYet, 0},
	"test":                            {16, neverYet, 0},
	"trace-gc":                        {0, neverYet, 0},
	"use-system-ca":                   {22, 22, 0},
}

// nodeOptionName is an option without its dashes and value. Node.js takes "_" for
// "-".
func nodeOptionName(word string) string {
	name, dashes := strings.CutPrefix(word, "--")
	if !dashes {
		return ""
	}
	name, _, _ = strings.Cut(name, "=")
	return strings.ReplaceAll(name, "_", "-")
}

var (
	nodeImage      = regexp.MustCompile(`^(?:docker\.io/)?(?:library/)?node:(\d+)(?:[.-]|$)`)
	nodeDistroless = regexp.MustCompile(`^gcr\.io/distroless/nodejs(\d+)(?:-|:|@|$)`)
)

// nodeRelease is the release of Node.js that an image is known to have by its
// reference, of those that were tried or lie between them; 0 is unknown.
func nodeRelease(ref string) int {
	for _, pattern := range []*regexp.Regexp{nodeImage, nodeDistroless} {
		if found := pattern.FindStringSubmatch(ref); found != nil {
			if release, err := strconv.Atoi(found[1]); err == nil && release >= 14 && release <= 24 {
				return release
			}
		}
	}
	return 0
}
