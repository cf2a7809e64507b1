package frontend

import (
	"context"
	"io/fs"
	"strings"

	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint/facts"
)

// facts is what the rules may know of this build. Nothing is fetched until a
// rule asks for it.
func (b *build) facts(ctx context.Context) facts.Context {
	fc := facts.Context{
		NewestSyntax:   true,
		Files:          newFiles(ctx, b.client, b.ui),
		Named:          b.namedContexts(),
		Images:         b.images(),
		Args:           b.ui.BuildArgs,
		Target:         b.ui.Target,
		CacheNamespace: b.ui.CacheIDNamespace,
	}
	for _, target := range b.targets() {
		fc.Platforms = append(fc.Platforms, platforms.Format(target))
	}
	if len(fc.Platforms) == 1 {
		fc.Platform = fc.Platforms[0]
	}
	return fc
}

// targets are the platforms that are built: one at least.
func (b *build) targets() []ocispec.Platform {
	if len(b.ui.TargetPlatforms) > 0 {
		return b.ui.TargetPlatforms
	}
	return b.ui.BuildPlatforms[:1]
}

// namedContexts are the names that the build gives a meaning of its own. Their
// files aren't known: they may be an image, a URL or another build's result.
func (b *build) namedContexts() map[string]fs.FS {
	named := map[string]fs.FS{}
	for key := range b.opts {
		if name, ok := strings.CutPrefix(key, "context:"); ok {
			name, _, _ = strings.Cut(name, "::") // a platform may follow
			named[name] = nil
		}
	}
	return named
}
