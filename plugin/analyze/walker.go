package analyze

import (
	"github.com/imgmgr/imgmgr/plugin/image"
)

// Walker reads what Analyze needs of layers. The tables are kept in the cache,
// which may be nil.
func Walker(cache image.Cache) *image.Walker {
	w := &image.Walker{Hash: true, Cache: cache, Visitors: []image.Visitor{secretVisitor, accountVisitor}}
	for _, m := range managers {
		w.Visitors = append(w.Visitors, m.visitor())
	}
	return w
}
