// Package facts is the outside world of a Dockerfile as a rule may see it: the
// build context, the base images, the arguments of the build.
//
// Every field may be missing. A missing fact is unknown, which is not absent: a
// rule that can't know is silent, and a repair that can't be proven isn't made.
package facts

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// Context holds what is known about one build. The zero value knows nothing.
type Context struct {
	// Files is the main build context with .dockerignore applied; nil when
	// unknown. It is read lazily: a rule asks for the names that it needs. To walk
	// it is for FindSuffix and Measure alone.
	Files fs.FS
	// Ignored is the text of the .dockerignore in force; nil when there is none
	// or it isn't known. Only meaningful where Files isn't nil.
	Ignored []byte
	// Named holds the named contexts (--build-context NAME=…) whose names
	// stand for a stage or an image. A name that is a key here is neither.
	// A nil value means that its files are unknown.
	Named map[string]fs.FS
	// Bases are those of Named that are what other builds make: the targets of a
	// bake file that this one starts from. There are several of one name where what
	// is true of several builds is asked for, which start from different ones.
	Bases map[string][]*Build
	// Images resolves the configurations of base images; nil when unknown.
	Images ImageResolver
	// Registry tells what registries have now; nil when they aren't asked.
	Registry Registry
	// Group are the other builds that are asked for in one go; nil when unknown.
	Group Group
	// Downloads tells what ADD downloads; nil when unknown.
	Downloads Downloads
	// Churn is the history of Files; nil when unknown.
	Churn Churn
	// Args are the values of --build-arg. Nil means unknown.
	Args map[string]string
	// Target is the stage asked for; empty means the last one.
	Target string
	// OtherTargets are stages that other builds of the same text ask for.
	OtherTargets []string
	// Platform is the target platform ("linux/amd64"); empty when unknown or
	// when several are built from one text.
	Platform string
	// Platforms are all that are known to be built from the text, Platform among
	// them.
	Platforms []string
	// NewestSyntax says that the Dockerfile, unless it asks for a version, is read by a
	// frontend that knows all syntax there is: imgmgr's own.
	NewestSyntax bool
	// CacheNamespace is BUILDKIT_CACHE_MOUNT_NS, which BuildKit itself puts in
	// front of every cache mount's id.
	CacheNamespace string
	// Today is the day of the build; zero when unknown.
	Today time.Time
	// ShellCheck reads the scripts of RUN instructions; nil where it isn't
	// there.
	ShellCheck ShellChecker
}

// ErrUnknown says that a fact can't be had: the registry can't be reached, or
// the image isn't there for this platform.
var ErrUnknown = errors.New("not known")

// Downloads knows files on the web.
type Downloads interface {
	// Digest is the digest ("sha256:…") of what the address returns now. Errors
	// wrap ErrUnknown.
	Digest(ctx context.Context, url string) (string, error)
}
