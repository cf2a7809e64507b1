package analyze

import (
	"slices"

	"github.com/imgmgr/imgmgr/plugin/analyze/findings"
	"github.com/imgmgr/imgmgr/plugin/analyze/packages"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// Walker reads what Analyze needs of layers. The tables are kept in the cache,
// which may be nil. A quick one doesn't look into files: of a plain tar it reads
// the headers alone.
func Walker(cache image.Cache, quick bool) *image.Walker {
	if quick {
		return &image.Walker{Cache: cache}
	}
	return &image.Walker{Hash: true, Cache: cache, Visitors: slices.Concat(findings.Visitors(), packages.Visitors())}
}
