package lsp

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/plugin/image/base"
	"github.com/imgmgr/imgmgr/plugin/lint"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

const long = `Lint Dockerfiles while they are written: a language server, which editors start
by themselves and talk to over standard input and output.

It shows what docker imgmgr lint would say about the text in the editor, saved
or not, offers its fixes one by one or, as source.fixAll, all that are safe, and
explains a rule where the pointer rests. It knows the build context, what git says
of it, and the base images that are on this machine; --online and --offline are
those of docker imgmgr lint. The nearest .imgmgr.yaml or
.hadolint.yaml above a Dockerfile holds, as it does for docker imgmgr lint. Where
the program shellcheck is installed, it reads the scripts of RUN here, too.

How to set up VS Code, Neovim and Helix:
https://github.com/imgmgr/imgmgr/blob/main/docs/editors.md`

// Command is the lsp subcommand for the given rules.
func Command(streams func() ui.Streams, rules []*engine.Rule, version string) *cobra.Command {
	var profile, config string
	var stdio, online, offline bool
	var mirrors []string
	cmd := &cobra.Command{
		Use:   "lsp [OPTIONS]",
		Short: "Lint Dockerfiles in editors, as a language server",
		Long:  long,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := lint.Options{Rules: rules, Config: config, Today: lint.Today(), Variables: os.LookupEnv, History: lint.NewHistory()}
			var err error
			if o.Images, err = images(online, offline, mirrors); err != nil {
				return err
			}
			if program, err := lint.NewShellCheck("shellcheck"); err == nil { // it need not be there
				o.ShellCheck = program
			}
			if profile != "" {
				p, err := engine.ParseProfile(profile)
				if err != nil {
					return err
				}
				o.Profile = &p
			}
			s := streams()
			if err := Serve(cmd.Context(), s.In, s.Out, version, o); err != nil {
				return fmt.Errorf("talk to the editor: %w", err)
			}
			return nil
		},
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&profile, "profile", "", "Rules to check: `PROFILE` recommended (if nothing else is configured), strict, all or hadolint")
	set.StringVar(&config, "config", "", "Configuration `FILE`, instead of the nearest .imgmgr.yaml or .hadolint.yaml above each Dockerfile")
	set.BoolVar(&online, "online", false, "Look up base images in their registries, too")
	set.BoolVar(&offline, "offline", false, "Connect to nothing, neither registries nor the Docker Engine")
	set.StringArrayVar(&mirrors, "registry-mirror", nil, "`HOST` to ask first for images of Docker Hub")
	set.BoolVar(&stdio, "stdio", true, "Use standard input and output; there is no other way")
	// It fails for unknown flags only. Editors pass --stdio by habit.
	_ = set.MarkHidden("stdio")
	_ = cmd.RegisterFlagCompletionFunc("profile", cobra.FixedCompletions(engine.ProfileNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// images are looked for as docker imgmgr lint looks for them.
func images(online, offline bool, mirrors []string) (*base.Resolver, error) {
	reach := base.Machine
	switch {
	case online && offline:
		return nil, errors.New("--online and --offline contradict each other; leave one out")
	case online:
		reach = base.Network
	case offline:
		reach = base.Disk
	}
	return lint.NewImages(reach, false, "linux/"+runtime.GOARCH, mirrors)
}
