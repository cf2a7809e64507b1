// Package plugin is the command line of imgmgr: the root command, and how it is
// started, as a plugin of the Docker CLI or alone.
package plugin

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/docker/cli/cli-plugins/metadata"
	dockerplugin "github.com/docker/cli/cli-plugins/plugin"
	"github.com/docker/cli/cli-plugins/socket"
	"github.com/docker/cli/cli/command"
	"github.com/moby/buildkit/util/suggest"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/imgmgr/imgmgr/lint/rules"
	"github.com/imgmgr/imgmgr/plugin/analyze"
	"github.com/imgmgr/imgmgr/plugin/lint"
	"github.com/imgmgr/imgmgr/plugin/lsp"
	"github.com/imgmgr/imgmgr/plugin/prune"
	"github.com/imgmgr/imgmgr/plugin/registry"
	"github.com/imgmgr/imgmgr/plugin/sbom"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// Metadata is what the Docker CLI asks a plugin for.
func Metadata(version string) metadata.Metadata {
	return metadata.Metadata{
		SchemaVersion:    "0.1.0",
		Vendor:           "imgmgr",
		Version:          version,
		ShortDescription: "Lint Dockerfiles, fix them, analyze and prune images",
		URL:              "https://github.com/imgmgr/imgmgr",
	}
}

// Root is the command "imgmgr" with all its subcommands. Those that can use a
// Docker daemon connect by themselves. The streams are asked for when a command
// runs.
func Root(version string, streams func() ui.Streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "imgmgr COMMAND",
		Short:         "Lint Dockerfiles, fix them, analyze and prune images",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,

		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
		// In place of the Docker CLI's own, which reads its configuration and
		// gets ready to talk to a daemon. All that every command here needs
		// is to hear of an interruption, from the user or through the CLI.
		PersistentPreRun: func(cmd *cobra.Command, _ []string) {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			cmd.SetContext(ctx)
			socket.ConnectAndWait(stop)
		},
	}
	root.SetVersionTemplate("imgmgr {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		analyze.Command(streams, rules.All),
		lint.Command(streams, rules.All),
		lsp.Command(streams, rules.All, version),
		prune.Command(streams),
		registry.Command(streams),
		sbom.Command(streams),
	)
	return root
}

// Main runs the process's command line and returns the exit code.
func Main(version string) int {
	root := Root(version, ui.System)
	var err error
	if dockerplugin.RunningStandalone() {
		root.Use = "docker-imgmgr COMMAND"
		err = root.Execute()
	} else {
		err = runPlugin(root, version)
	}
	return ui.Code(os.Stderr, "imgmgr", err)
}

// runPlugin runs the command line as the Docker CLI passes it on: with its own
// global flags and the plugin's name in front.
func runPlugin(root *cobra.Command, version string) error {
	docker, err := command.NewDockerCli()
	if err != nil {
		return fmt.Errorf("start as a plugin of the Docker CLI: %w", err)
	}
	return dockerplugin.RunPlugin(docker, root, Metadata(version))
}

func unknownCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return fmt.Errorf("unknown command %q%s; see '%s --help'", name, didYouMean("", name, names), cmd.CommandPath())
}

// flagError puts the flag that was most likely meant behind an error about one.
func flagError(cmd *cobra.Command, err error) error {
	var hint string
	if name, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		hint = didYouMean("--", name, names)
	}
	return fmt.Errorf("%w%s; see '%s --help'", err, hint, cmd.CommandPath())
}

func didYouMean(prefix, name string, names []string) string {
	if near, ok := suggest.Search(name, names, true); ok {
		return " (did you mean " + prefix + near + "?)"
	}
	return ""
}
