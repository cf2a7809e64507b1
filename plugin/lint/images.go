package lint

import (
	"context"
	"os"
	"time"

	"github.com/imgmgr/imgmgr/plugin/folders"
	"github.com/imgmgr/imgmgr/plugin/image/base"
	"github.com/imgmgr/imgmgr/plugin/image/cache"
	"github.com/imgmgr/imgmgr/plugin/image/engine"
)

// Bounds of what is read to know which files an image has. A lint must stay
// quick. A fix that foretells a build looks where the build will look, and what
// it reads is kept.
const (
	lintReads, lintReadTime   = 128 << 20, 2 * time.Second
	buildReads, buildReadTime = 8 << 30, 5 * time.Minute
)

// How old what a registry said of a tag may be. Most tags are configured alike for
// years, which is good enough for a finding; what is made unseen in a build has to
// be proven by what holds now.
const lintRecall, buildRecall = 90 * 24 * time.Hour, 24 * time.Hour

// NewImages finds base images as far as reach says, for a builder of the platform.
// Building reads the layers of large ones, too.
func NewImages(reach base.Reach, building bool, platform string, mirrors []string) (*base.Resolver, error) {
	o := base.Options{
		Reach: reach, Platform: platform, Mirrors: mirrors, Now: time.Now,
		Engine: func(ctx context.Context) (base.Engine, error) { return engine.ConnectHere(ctx, os.Args[1:]) },
	}
	if building {
		o.ReadBytes, o.ReadTime, o.Recall = buildReads, buildReadTime, buildRecall
	} else {
		o.ReadBytes, o.ReadTime, o.Recall = lintReads, lintReadTime, lintRecall
	}
	if reach == base.Disk {
		o.ReadBytes = 0
	}
	// Without a cache folder, what is asked for is asked for each time.
	if dir, err := folders.Cache(); err == nil {
		o.Memory = base.OpenMemory(dir, time.Now)
		if tables, err := cache.Open(dir, cache.DefaultBytes); err == nil {
			o.Tables = tables
		}
	}
	return base.New(o)
}
