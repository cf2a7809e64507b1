package lint

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	engine "github.com/imgmgr/imgmgr/lint"
)

// flags are the command line as it was typed.
type flags struct {
	format, fix, failOn, explain string
	config, profile              string
	diff, list, online, offline  bool
	fragment, verbose            bool
	context, platform            string
	shellCheck                   string
	targets, files, set, vars    []string
	buildArgs, named, mirrors    []string
}

// shell finds the program of --shellcheck. Only where the user names it does it
// have to be there.
func (f *flags) shell(cmd *cobra.Command) (*ShellCheck, error) {
	if f.shellCheck == "none" || f.shellCheck == "" {
		return nil, nil
	}
	program, err := NewShellCheck(f.shellCheck)
	if err != nil && cmd.Flags().Changed("shellcheck") {
		return nil, fmt.Errorf("%w; install it, or use --shellcheck=none", err)
	}
	return program, nil
}

// bake reads what is there for bake and compose files.
func (f *flags) bake(o *Options) error {
	if len(f.files) > 0 {
		o.Targets, o.Paths = append(slices.Clone(f.targets), o.Paths...), nil
	}
	for _, file := range f.files {
		if !isBake(file) {
			return fmt.Errorf("--file %s: it is no bake or compose file; name a Dockerfile without the flag", file)
		}
	}
	for _, v := range f.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return fmt.Errorf("variable %q has no value: use --var NAME=VALUE", v)
		}
		if o.Vars == nil {
			o.Vars = map[string]string{}
		}
		o.Vars[name] = value
	}
	return nil
}

// choices reads --fail-on and --profile.
func (f *flags) choices(o *Options) error {
	if f.failOn != "" {
		severity := engine.Off
		if f.failOn != "never" {
			var err error
			if severity, err = engine.ParseSeverity(f.failOn); err != nil {
				return fmt.Errorf("unknown severity %q: use --fail-on error, warning, info or never", f.failOn)
			}
		}
		o.FailOn = &severity
	}
	if f.profile != "" {
		profile, err := engine.ParseProfile(f.profile)
		if err != nil {
			return err
		}
		o.Profile = &profile
	}
	return nil
}

// safety reads --fix. Its value has to be joined by "=", so that "--fix build"
// names a file; where there is none, the flag was meant.
func (f *flags) safety(cmd *cobra.Command, args []string) (engine.Safety, error) {
	for _, arg := range args {
		if _, ok := ParseSafety(arg); ok && cmd.Flags().Changed("fix") {
			if _, err := os.Stat(arg); errors.Is(err, os.ErrNotExist) {
				return engine.None, fmt.Errorf("there is no file %q; write --fix=%s", arg, arg)
			}
		}
	}
	if !cmd.Flags().Changed("fix") && !f.diff {
		return engine.None, nil
	}
	safety, ok := ParseSafety(cmp.Or(f.fix, "safe"))
	if !ok {
		return engine.None, fmt.Errorf("unknown kind of fix %q: use --fix=safe, build or unsafe", f.fix)
	}
	return safety, nil
}

// ParseSafety reads how safe fixes have to be, in the words of --fix.
func ParseSafety(word string) (engine.Safety, bool) {
	safety, ok := map[string]engine.Safety{"safe": engine.Safe, "build": engine.BuildSafe, "build-safe": engine.BuildSafe, "unsafe": engine.Unsafe}[word]
	return safety, ok
}

// args reads --build-arg. Nil is unknown: without any, except where the build is
// foretold.
func (f *flags) args(fix engine.Safety) (map[string]string, error) {
	if len(f.buildArgs) == 0 && fix != engine.BuildSafe {
		return nil, nil
	}
	return ParseArgs(f.buildArgs)
}

// ParseArgs reads build arguments as docker build does: a name alone has its value
// from the environment.
func ParseArgs(list []string) (map[string]string, error) {
	args := map[string]string{}
	for _, arg := range list {
		name, value, ok := strings.Cut(arg, "=")
		if name == "" {
			return nil, fmt.Errorf("build argument %q has no name: use --build-arg NAME=VALUE", arg)
		}
		if !ok {
			if value, ok = os.LookupEnv(name); !ok {
				continue
			}
		}
		args[name] = value
	}
	return args, nil
}

// ParseContexts reads named build contexts, NAME=PLACE. What a place means, the
// builder knows.
func ParseContexts(list []string) (map[string]string, error) {
	named := map[string]string{}
	for _, v := range list {
		name, place, _ := strings.Cut(v, "=")
		if name == "" || place == "" {
			return nil, fmt.Errorf("--build-context %q names no place: write NAME=FOLDER, NAME=docker-image://IMAGE or the like", v)
		}
		named[name] = place
	}
	return named, nil
}
