// Package registry is `docker imgmgr registry`: what is in a registry, and how to
// change it. Each verb is a folder below.
//
//	ls, inspect, report   read
//	doctor                says what a registry can do
//	rm, sync              change; what they remove can be given back, as with prune
package registry

import (
	"github.com/spf13/cobra"

	"github.com/imgmgr/imgmgr/plugin/registry/doctor"
	"github.com/imgmgr/imgmgr/plugin/registry/inspect"
	"github.com/imgmgr/imgmgr/plugin/registry/ls"
	"github.com/imgmgr/imgmgr/plugin/registry/report"
	"github.com/imgmgr/imgmgr/plugin/registry/rm"
	"github.com/imgmgr/imgmgr/plugin/registry/sync"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

const long = `Look into registries, and change what is there.

Credentials are those of "docker login" and its helpers. Connections are verified
TLS; registries on this machine (localhost, 127.0.0.1) may speak plain HTTP, others
only with --insecure.`

// Command is the registry subcommand.
func Command(streams func() ui.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use: "registry COMMAND", Short: "List, check, copy and remove images of registries", Long: long, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(doctor.Command(streams), ls.Command(streams), inspect.Command(streams), report.Command(streams), rm.Command(streams), sync.Command(streams))
	for _, c := range append(cmd.Commands(), cmd) {
		c.DisableFlagsInUseLine = true // [OPTIONS] says it
	}
	return cmd
}
