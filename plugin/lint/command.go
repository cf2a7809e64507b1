package lint

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/util/suggest"
	"github.com/spf13/cobra"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/report"
	"github.com/imgmgr/imgmgr/plugin/image/base"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

const long = `Find what is wrong with Dockerfiles, and fix it.

A PATH is a Dockerfile, a folder to search for Dockerfiles (Dockerfile,
Containerfile, Dockerfile.NAME, NAME.Dockerfile; without what git ignores, and
not below .git, .cache and node_modules), a pattern such as "src/**/Dockerfile",
a bake or compose file, or - for standard input. Without one, the current folder
is searched.

Of a bake or compose file, each target's Dockerfile is linted as that target
builds it: with its arguments, platforms, stage and contexts. Several files are
read as one, the later over the earlier; --target, --set and --var are those of
docker buildx bake. What a Dockerfile has for several targets is said once, and
a fix is made where it is right for all of them. What starts from another target
(contexts, additional_contexts) starts with what that target's Dockerfile leaves.

--fix writes the fixes that are safe: the image does the same. --fix=build
makes only those that are proven to give the same image, as the imgmgr frontend
makes them in a build, and takes that frontend for the file's reader. --fix=unsafe
makes all. What a fix leaves out of the build
context is written into .dockerignore. --diff prints what --fix would change, and
writes nothing. The repaired text of standard input goes to standard
output, and the findings to standard error.

A fix that writes newer syntax than the builder is known to read is unsafe. Of a
file that shows nothing, BuildKit as in Docker Engine 20.10 is assumed, which has
RUN --mount and COPY --chmod. "# syntax=docker/dockerfile:1" on top shows that all
is read, and so does what the file uses already: a heredoc or COPY --link is of 1.4,
ADD --checksum of 1.6, COPY --exclude of 1.19. Where "# syntax" asks for an older
version, there is no such fix.

The build context is the Dockerfile's folder, or else the current one, if all is
there that the Dockerfile copies; otherwise it is unknown, and what depends on
it is left alone. --context names it, and --build-context what else the build
copies or starts from by a name of its own.

Base images are looked for on this machine: in what earlier runs were told, and
in the Docker Engine, if it is here. --online asks their registries, too, with
the credentials of docker login, as --fix=build always does; --offline connects to
nothing, not even to the Engine. Who doesn't answer within seconds is left alone,
and what isn't known of an image is never held against a Dockerfile. With --online,
--fix also downloads what an ADD without a checksum names, at most a gigabyte and
for two minutes each, and writes the checksum that it has now, if the file shows
that its builder reads one.

Which rules are checked, and how severe their findings are, is for the nearest
.imgmgr.yaml above a Dockerfile to say; without one, hadolint's .hadolint.yaml is
read. --profile=hadolint makes hadolint's checks with its severities.

Where the program shellcheck is installed, it checks the script of each RUN, and
its findings have their codes (SC2086); otherwise imgmgr looks for the most
frequent mistakes itself.

Which base images are out of support is judged for today, or for the day that
the variable SOURCE_DATE_EPOCH names.

The exit code is 0 if there is nothing to report, 1 if there are findings at or
above --fail-on (with --diff: if there is something to change), and 2 if a file
could not be read, parsed or written, or the command line is wrong.`

const examples = `  docker imgmgr lint
  docker imgmgr lint --fix Dockerfile
  docker imgmgr lint --diff --fix=build --context . docker/Dockerfile
  docker imgmgr lint docker-bake.hcl
  docker imgmgr lint -f compose.yaml -f compose.prod.yaml web
  docker imgmgr lint --format json services/ > findings.json
  docker imgmgr lint - < Dockerfile
  docker imgmgr lint --explain LatestTag`

// Command is the lint subcommand for the given rules.
func Command(streams func() ui.Streams, rules []*engine.Rule) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:     "lint [OPTIONS] [PATH...]",
		Short:   "Find what is wrong with Dockerfiles, and fix it",
		Long:    long,
		Example: examples,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, streams(), rules, args)
		},
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&f.format, "format", Text, "Print findings in this `FORMAT`: "+list(formatNames()))
	set.StringVar(&f.fix, "fix", "", "Make fixes of this `KIND`: safe (if none is given), build or unsafe")
	set.Lookup("fix").NoOptDefVal = "safe"
	set.BoolVar(&f.fragment, "fragment", false, "Take a file without FROM for a part of a Dockerfile, of whose base image nothing is known")
	set.BoolVar(&f.diff, "diff", false, "Print what --fix would change, and change nothing")
	set.StringVar(&f.failOn, "fail-on", "", "Exit with 1 for findings of this `SEVERITY` or worse: error, warning (if nothing else is configured), info or never")
	set.StringVar(&f.profile, "profile", "", "Rules to check: `PROFILE` recommended (if nothing else is configured), strict, all or hadolint")
	set.StringVar(&f.config, "config", "", "Configuration `FILE`, instead of the nearest .imgmgr.yaml or .hadolint.yaml above each Dockerfile")
	set.StringVar(&f.context, "context", "", "Build context: `FOLDER` that the Dockerfile copies from")
	set.StringArrayVar(&f.named, "build-context", nil, "Named build context `NAME=PLACE`, as docker buildx build takes it")
	set.StringArrayVar(&f.buildArgs, "build-arg", nil, "Build argument `NAME=VALUE`; where one is given, all others are taken to be unset")
	set.StringArrayVar(&f.targets, "target", nil, "`STAGE` to build; with a bake or compose file, its target or service to lint")
	set.StringArrayVarP(&f.files, "file", "f", nil, "Bake or compose `FILE`, as with docker buildx bake: what is behind the flags are its targets then")
	set.StringArrayVar(&f.set, "set", nil, "Override a value of a bake target: `TARGET.KEY=VALUE`")
	set.StringArrayVar(&f.vars, "var", nil, "Set a variable of a bake file: `NAME=VALUE`")
	set.StringVar(&f.platform, "platform", "", "Target `PLATFORM`, such as linux/arm64")
	set.BoolVar(&f.online, "online", false, "Look up base images in their registries, too, and with --fix the checksums of what ADD downloads")
	set.BoolVar(&f.offline, "offline", false, "Connect to nothing, neither registries nor the Docker Engine, not even for --fix=build")
	set.StringArrayVar(&f.mirrors, "registry-mirror", nil, "`HOST` to ask first for images of Docker Hub")
	set.StringVar(&f.shellCheck, "shellcheck", "shellcheck", "`PROGRAM` that checks the scripts of RUN, where it is installed; none leaves it out")
	set.BoolVar(&f.verbose, "verbose", false, "Say on standard error which facts are missing, and why")
	set.StringVar(&f.explain, "explain", "", "Explain a `RULE`")
	set.BoolVar(&f.list, "list-rules", false, "List all rules")
	complete(cmd, rules)
	return cmd
}

// complete offers values in shells. Dockerfiles are completed as files.
func complete(cmd *cobra.Command, rules []*engine.Rule) {
	var names []string
	for _, r := range rules {
		for _, name := range append([]string{r.Name}, r.Aliases...) {
			names = append(names, name+"\t"+r.Doc.Title)
		}
	}
	formats := []string{Text + "\tFor people"}
	for _, f := range report.Formats() {
		formats = append(formats, f.Name+"\t"+f.Title)
	}
	for flag, values := range map[string][]string{
		"format":  formats,
		"fix":     {"safe", "build", "unsafe"},
		"fail-on": {"error", "warning", "info", "never"},
		"profile": engine.ProfileNames(),
		"explain": names,

		"platform": {"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386", "linux/ppc64le", "linux/riscv64", "linux/s390x", "windows/amd64"},
	} {
		// It fails for unknown flags only.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	_ = cmd.MarkFlagDirname("context")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault
	}
}

func formatNames() []string {
	names := []string{Text}
	for _, f := range report.Formats() {
		names = append(names, f.Name)
	}
	return names
}

// list writes a choice: "a, b or c".
func list(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func (f *flags) run(cmd *cobra.Command, streams ui.Streams, rules []*engine.Rule, args []string) error {
	if f.list || f.explain != "" {
		text := &report.Text{Out: streams.Out, Width: streams.Out.Width, Color: streams.Out.Color}
		if f.list {
			return text.List(slices.SortedFunc(slices.Values(rules), byName))
		}
		rule, err := named(rules, f.explain)
		if err != nil {
			return err
		}
		return text.Explain(rule)
	}
	o, err := f.options(cmd, args)
	if err != nil {
		return err
	}
	o.Rules = rules
	return Run(cmd.Context(), streams, o)
}

func byName(a, b *engine.Rule) int { return cmp.Compare(a.Name, b.Name) }

// named finds a rule by its name or by that of another linter's check.
func named(rules []*engine.Rule, name string) (*engine.Rule, error) {
	var names []string
	for _, r := range rules {
		all := append([]string{r.Name}, r.Aliases...)
		if slices.ContainsFunc(all, func(n string) bool {
			family, whole := strings.CutSuffix(n, "*")
			return strings.EqualFold(n, name) || whole && len(name) > len(family) && strings.EqualFold(name[:len(family)], family)
		}) {
			return r, nil
		}
		names = append(names, r.Name)
	}
	if near := nearest(name, names); near != "" {
		return nil, fmt.Errorf("there is no rule %q; did you mean %s? --list-rules lists all", name, near)
	}
	return nil, fmt.Errorf("there is no rule %q; --list-rules lists all", name)
}

// nearest is the name that was most likely meant; "" when none is like it.
func nearest(name string, names []string) string {
	if i := slices.IndexFunc(names, func(n string) bool {
		return len(name) > 3 && strings.HasPrefix(strings.ToLower(n), strings.ToLower(name))
	}); i >= 0 {
		return names[i]
	}
	near, _ := suggest.Search(name, names, true)
	if near == "" {
		lower, _ := suggest.Search(strings.ToLower(name), names, false)
		if i := slices.IndexFunc(names, func(n string) bool { return lower != "" && strings.EqualFold(n, lower) }); i >= 0 {
			near = names[i]
		}
	}
	return near
}

// options reads the flags' values.
func (f *flags) options(cmd *cobra.Command, args []string) (Options, error) {
	o := Options{
		Paths: args, Format: f.format, Diff: f.diff, Today: Today(),
		Config: f.config, Context: f.context, Targets: f.targets, Platform: f.platform, Files: f.files, Set: f.set,
		Fragment: f.fragment, Variables: os.LookupEnv, History: NewHistory(), Verbose: f.verbose,
	}
	if err := f.bake(&o); err != nil {
		return o, err
	}
	if !slices.Contains(formatNames(), o.Format) {
		return o, fmt.Errorf("unknown format %q: use --format %s", f.format, list(formatNames()))
	}
	if err := f.choices(&o); err != nil {
		return o, err
	}
	if o.Platform != "" {
		if _, err := platforms.Parse(o.Platform); err != nil {
			return o, fmt.Errorf("unknown platform %q: use --platform linux/arm64 or the like", o.Platform)
		}
	}
	if f.online && f.offline {
		return o, errors.New("--online and --offline contradict each other; leave one out")
	}
	var err error
	if o.ShellCheck, err = f.shell(cmd); err != nil {
		return o, err
	}
	if o.Fix, err = f.safety(cmd, args); err != nil {
		return o, err
	}
	if o.Args, err = f.args(o.Fix); err != nil {
		return o, err
	}
	if o.Named, err = ParseContexts(f.named); err != nil {
		return o, err
	}
	builder := "linux/" + runtime.GOARCH
	if o.Fix == engine.BuildSafe && o.Platform == "" {
		o.Platform = builder
	}
	if f.online && (o.Fix == engine.Safe || o.Fix == engine.Unsafe) {
		o.Downloads = NewDownloads()
	}
	o.Images, err = NewImages(f.reach(o.Fix), o.Fix == engine.BuildSafe, builder, f.mirrors)
	return o, err
}

// reach is how far base images are looked for.
func (f *flags) reach(fix engine.Safety) base.Reach {
	switch {
	case f.offline:
		return base.Disk
	case f.online || fix == engine.BuildSafe:
		return base.Network
	}
	return base.Machine
}

// Today is the day, or that of SOURCE_DATE_EPOCH, with which a lint says the same
// on any day (reproducible-builds.org/specs/source-date-epoch).
func Today() time.Time {
	if seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC()
	}
	return time.Now()
}
