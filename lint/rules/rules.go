// Package rules holds what imgmgr knows to be wrong with Dockerfiles: one rule
// a file, each a value that explains itself.
//
// A rule reads the parsed file and the facts of its [lint.Pass]; it does no IO
// and keeps no state. What it can't know it is silent about. No rule names
// another: what several of them ask of a Dockerfile (its image references, its
// apt commands) is in a file without a rule.
package rules

import (
	"slices"

	"github.com/imgmgr/imgmgr/lint"
)

// All are the rules in order: where two fixes are in each other's way, that of
// the earlier rule is made first.
var All = slices.Concat([]*lint.Rule{
	// What the text says is not what BuildKit reads. Fixed first, for the
	// others judge what BuildKit reads.
	SyntaxDirectiveIgnored,
	CommentAfterInstruction,
	ShellOperatorInExecForm,
	// What the build does, and in which order.
	SystemPackagesAfterSource,
	DependenciesAfterSource,
	VolatileArgEarly,
	AptUpdateAlone,
	CacheMountMissing,
	AptListsLeft,
	StageNeverBuilt,
	CopyNotLinked,
	// What the build trusts, and what it gives away.
	LatestTag,
	BaseImageEndOfLife,
	UnpinnedBaseImage,
	DigestOutdated,
	DigestOfOnePlatform,
	PlatformMissing,
	HeavyBaseVariant,
	BasesDriftApart,
	RemoteWithoutChecksum,
	SecretInArgOrEnv,
	RunAsRoot,
	// What the commands of a RUN do.
	PromptUnanswered,
	UnpinnedPackage,
	PackageInBase,
	RecommendedPackagesInstalled,
	AllPackagesUpgraded,
	PackageCacheLeft,
	SudoInRun,
	AptInScript,
	ShellReplaced,
	ShellCheck,
	VersionTakenForRedirect,
	FailureIgnored,
	BashSyntaxInSh,
	EmptyArgumentUsed,
	PatternNotQuoted,
	FailureLostInPipe,
	HighUIDFillsLog,
	HostCommand,
	CdInRun,
	ProgressInLog,
	CurlAndWget,
	ConsecutiveRuns,
	// What is copied, and where to.
	AddOfLocalFile,
	ArchiveCopied,
	CopyFromUnknown,
	CopyToUnknownFolder,
	FilesystemCopied,
	DevDependenciesMissing,
	PlatformFilesCopied,
	OneArchitecture,
	EmulatedBuild,
	WrittenIntoBindMount,
	WrittenUnderVolume,
	DeletedTooLate,
	OwnerChangedTooLate,
	FolderNotWritable,
	CopiedFilesNotOwned,
	NeedlessFilesCopied,
	ContextNotNeeded,
	SecretFileCopied,
	LockFileNotEnforced,
	CacheMountEmptied,
	CacheBypassed,
	CacheMountMisplaced,
	CacheMountNotWritable,
	CacheMountSharedByPlatforms,
	// What the image says of itself.
	EnvUsesItself,
	UserByName,
	HealthcheckMissing,
	HealthcheckToolMissing,
	UserUnknown,
	JavaOptionRefused,
	NodeOptionRefused,
	SignalsNotPassedOn,
	LabelValueInvalid,
	LabelMissing,
	LabelNotAllowed,
	LabelKeyInvalid,
	// What the team asks for.
	UntrustedRegistry,
	IgnoreCommentUsed,
	IgnoreWithoutReason,
	IgnoreUnused,
}, BuildKit)
