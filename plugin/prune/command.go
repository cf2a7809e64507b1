package prune

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/imgmgr/imgmgr/plugin/folders"
	"github.com/imgmgr/imgmgr/plugin/prune/retention"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

const long = `Remove images as a policy says.

Without a place, it is about the local Docker Engine, and does what "docker image
prune" does, with the same flags: images without a name go, and with --all those
that no container uses, stopped ones too. With --policy it does what that says.

With --buildx BUILDER it is about a build cache, and does what "docker buildx prune"
does. Records that are in use, or that others are built on, stay.

With --layout FOLDER it is about an OCI layout. Blobs that index.json doesn't lead
to go, and with --policy what that says.

With --containerd NAMESPACE it is about the images of containerd, as of the local
engine: what ctr, nerdctl and Kubernetes have pulled.

For a registry, a policy says which images go and which stay: imgmgr.prune.yaml,
or that of --policy; see docs/prune.md.

The plan is shown, with the reason for each removal and the bytes
that it frees, and after a question it is carried out. --dry-run ends with the
plan. --plan FILE saves it, to be reviewed and run by "prune apply".

Never removed, whatever the policy says: what an image that stays needs (parts of
an index, bases, signatures, SBOMs), what --in-use-from names, what the policy
protects, what is younger than an hour, what is of unknown age, and the last
image of a repository. A repository that would lose more than half of its images
is left alone, and so is one that could not be listed to its end.

Every manifest of a registry is written to a journal before it is deleted. "prune
undo" gives it back, until the registry has collected its garbage. Engines,
containerd, build caches and layouts can't take anything back, and their plans
say so.

The exit code is 0 if all was done, 1 if something was left out (a brake, an
incomplete listing, an image that changed meanwhile), and 2 for failures.`

const examples = `  docker imgmgr prune --dry-run
  docker imgmgr prune --all --filter until=30d --filter label!=keep
  docker imgmgr prune --registry registry.example.com/team --dry-run
  docker imgmgr prune --registry registry.example.com --plan plan.json --dry-run
  docker imgmgr prune apply plan.json
  docker imgmgr prune why registry.example.com/team/app:feature-1
  docker imgmgr prune undo`

// flags are the command line as it was typed.
type flags struct {
	source
	localFlags
	policy        string
	share         string
	saved         bool // the facts are from files
	dryRun, force bool
	allContexts   bool
	plan, format  string
	journal       string
	saveInventory string
	undoJournal   string
	listJournals  bool
	streams       func() ui.Streams
	now           func() time.Time
}

// Command is the prune subcommand.
func Command(streams func() ui.Streams) *cobra.Command {
	f := &flags{streams: streams, now: time.Now}
	cmd := &cobra.Command{
		Use: "prune [OPTIONS]", Short: "Remove images as a policy says",
		Long: long, Example: examples, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.prune(cmd.Context()) },
	}
	f.sourceFlags(cmd)
	f.policyFlags(cmd)
	set := cmd.Flags()
	set.BoolVarP(&f.all, "all", "a", false, "Of the local engine: all images that no container uses, not just those without a name; of a build cache: frontends and what images share, too")
	set.StringArrayVar(&f.filters, "filter", nil, "Of the local engine: only what `FILTER` says: until=24h, label=KEY[=VALUE], label!=KEY[=VALUE], reference=PATTERN, dangling=false; of a build cache: until=24h, type=TYPE, description=TEXT")
	set.BoolVar(&f.allContexts, "all-contexts", false, "The engines of all contexts of the Docker CLI, one after the other")
	set.BoolVar(&f.dryRun, "dry-run", false, "Show the plan, and change nothing")
	set.BoolVarP(&f.force, "force", "f", false, "Don't ask")
	set.StringVar(&f.plan, "plan", "", "Save the plan as `FILE`")
	set.StringVar(&f.format, "format", "text", "Print the plan in this `FORMAT`: text or json")
	set.StringVar(&f.saveInventory, "save-inventory", "", "Save the facts as `FILE`, for --inventory")
	f.journalFlag(cmd)
	cmd.AddCommand(f.applyCommand(), f.whyCommand(), f.undoCommand(), f.testCommand(), f.diffCommand(), f.simulateCommand())
	for _, c := range append(cmd.Commands(), cmd) {
		c.DisableFlagsInUseLine = true // [OPTIONS] says it
	}
	return cmd
}

func (f *flags) applyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "apply [OPTIONS] PLAN", Short: "Carry out a saved plan",
		Long: `Carry out a plan that "prune --plan" saved.

Each tag and each digest is looked at again. What changed since the plan was made
is left alone, with all that it needs, and the exit code is 1. An interrupted run
is finished by applying its plan again.`,
		Example: "  docker imgmgr prune apply plan.json",
		Args:    oneArg("a plan, as saved by prune --plan"),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.apply(cmd.Context(), args[0]) },
	}
	cmd.Flags().BoolVarP(&f.force, "force", "f", false, "Don't ask")
	cmd.Flags().BoolVar(&f.insecure, "insecure", false, "Allow plain HTTP and certificates that can't be verified")
	f.journalFlag(cmd)
	return cmd
}

func (f *flags) whyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "why [OPTIONS] IMAGE", Short: "Say why an image goes or stays",
		Long: `Say why an image goes or stays. IMAGE is a reference with a tag or a digest.
Without --registry, its own registry is asked if it has one that is not Docker
Hub, and else the local engine.`,
		Example: "  docker imgmgr prune why registry.example.com/team/app:1.2",
		Args:    oneArg("an image"),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.why(cmd.Context(), args[0]) },
	}
	f.sourceFlags(cmd)
	f.policyFlags(cmd)
	return cmd
}

func (f *flags) undoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "undo [OPTIONS] [JOURNAL]", Short: "Give back what a run removed",
		Long: `Give back what a run removed, the last one or that of a JOURNAL: manifests with
their tags, parts before their index. A tag that leads elsewhere by now is left
alone. It works until the registry has collected its garbage.`,
		Example: "  docker imgmgr prune undo\n  docker imgmgr prune undo --list",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				f.undoJournal = args[0]
			}
			return f.undo(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&f.listJournals, "list", false, "List the journals")
	cmd.Flags().BoolVar(&f.insecure, "insecure", false, "Allow plain HTTP and certificates that can't be verified")
	f.journalFlag(cmd)
	return cmd
}

func (f *flags) testCommand() *cobra.Command {
	return &cobra.Command{
		Use: "test [POLICY...]", Short: "Run the tests that policies have",
		Long: `Run the tests that are written in policies, without any registry. The exit code
is 1 when a policy does not do what its tests expect.`,
		Example: "  docker imgmgr prune test imgmgr.prune.yaml",
		RunE:    func(_ *cobra.Command, args []string) error { return f.test(args) },
	}
}

func (f *flags) diffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "diff [OPTIONS] OLD NEW", Short: "Show the images that another policy treats otherwise",
		Long: `Show the images whose fate is another under another policy: those that go under
NEW alone with a minus, and those that stay under NEW alone with a plus. The exit
code is 1 when there are such.`,
		Example: "  docker imgmgr prune diff --registry registry.example.com old.yaml new.yaml",
		Args:    severalArgs(2, 2, "two policies, OLD and NEW"),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.diff(cmd.Context(), args[0], args[1]) },
	}
	f.sourceFlags(cmd)
	return cmd
}

func (f *flags) simulateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "simulate [OPTIONS] INVENTORY...", Short: "Show what a policy would have done",
		Long: `Show what a policy would have done with inventories that "prune
--save-inventory" saved, each at its own time.`,
		Example: "  docker imgmgr prune simulate --policy new.yaml inventories/*.json",
		Args:    severalArgs(1, -1, "inventories, as saved by prune --save-inventory"),
		RunE:    func(_ *cobra.Command, args []string) error { f.saved = true; return f.simulate(args) },
	}
	f.policyFlags(cmd)
	return cmd
}

func (f *flags) sourceFlags(cmd *cobra.Command) {
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&f.registry, "registry", "", "Registry `HOST[/PREFIX]`")
	set.StringVar(&f.layout, "layout", "", "OCI layout `FOLDER`")
	set.StringVar(&f.builder, "buildx", "", "Build cache of a `BUILDER` of buildx, or of a BuildKit's address (unix://…)")
	set.StringVar(&f.namespace, "containerd", "", "Namespace of containerd, as `NAMESPACE[@SOCKET]`: default, k8s.io")
	set.StringVar(&f.inventory, "inventory", "", "Take the facts from `FILE`, which --save-inventory made")
	set.StringArrayVar(&f.inUse, "in-use-from", nil, "Keep the images that a `FILE` or folder names: compose files, Kubernetes manifests, bake files, Dockerfiles")
	set.IntVar(&f.workers, "jobs", 16, "Requests at one time")
	set.BoolVar(&f.insecure, "insecure", false, "Allow plain HTTP and certificates that can't be verified")
}

func (f *flags) policyFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.policy, "policy", "", "Policy `FILE` (default "+DefaultPolicy+", for registries)")
	cmd.Flags().StringVar(&f.share, "max-share", "", "Remove up to this `PERCENT` of a repository's images, whatever the policy's limit")
}

func (f *flags) journalFlag(cmd *cobra.Command) { journalFlag(cmd, &f.journal) }

func journalFlag(cmd *cobra.Command, folder *string) {
	cmd.Flags().StringVar(folder, "journal", "", "`FOLDER` of the journals (default $XDG_STATE_HOME/imgmgr/prune)")
}

// DefaultPolicy is the file that is read where none is named.
const DefaultPolicy = "imgmgr.prune.yaml"

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("prune takes no %q: name a registry with --registry; see '%s --help'", args[0], cmd.CommandPath())
	}
	return nil
}

func oneArg(what string) cobra.PositionalArgs { return severalArgs(1, 1, "one argument, "+what) }

// severalArgs wants so many arguments; a most of -1 is no bound.
func severalArgs(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return fmt.Errorf("want %s; see '%s --help'", what, cmd.CommandPath())
		}
		return nil
	}
}

// readPolicy reads the policy file and applies what the command line says of it.
func (f *flags) readPolicy() (*retention.Policy, error) {
	if f.policy == "" && f.registry == "" && f.inventory == "" && !f.saved {
		if f.builder != "" {
			return f.cachePolicy(f.now())
		}
		if f.layout != "" && (f.all || len(f.filters) > 0) {
			return nil, errors.New("without a policy, what nothing leads to goes from a layout; write rules instead of --all and --filter")
		}
		return f.localFlags.policy(f.now())
	}
	if f.all || len(f.filters) > 0 {
		return nil, errors.New("--all and --filter are for the local engine and build caches, without a policy; write rules instead")
	}
	p, err := policyFile(cmp.Or(f.policy, DefaultPolicy))
	if err != nil {
		return nil, err
	}
	if f.share != "" {
		if p.Limits.Share, err = retention.ParsePercent(f.share); err != nil {
			return nil, fmt.Errorf("--max-share %w", err)
		}
	}
	return p, nil
}

func policyFile(name string) (*retention.Policy, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no policy %s: write one, as docs/prune.md shows, or name it with --policy", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	return retention.ParsePolicy(name, text)
}

// journals is the folder of all journals.
func (f *flags) journals() (string, error) {
	if f.journal != "" {
		return f.journal, nil
	}
	state, err := folders.State()
	if err != nil {
		return "", fmt.Errorf("%w for the journal; name one with --journal", err)
	}
	return filepath.Join(state, "prune"), nil
}
