package analyze

import (
	"slices"

	"github.com/imgmgr/imgmgr/plugin/analyze/findings"
	"github.com/imgmgr/imgmgr/plugin/analyze/packages"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// Walker reads what Analyze needs of layers. The tables are kept in the cache,
// which may be nil.
func Walker(cache image.Cache) *image.Walker {
	return &image.Walker{Hash: true, Cache: cache, Visitors: slices.Concat(findings.Visitors(), packages.Visitors())}
}
