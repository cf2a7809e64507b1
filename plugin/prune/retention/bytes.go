package retention

import "slices"

// count finds what the removals free, and returns the sum in bytes. A blob is freed
// with the last manifest that needs it, in the order of the plan, and not at all when
// one of those stays. Registries and engines keep a blob once for all repositories.
func (g *graph) count() int64 {
	taken := make([]bool, g.digests.count+1)
	for _, r := range g.repos {
		for _, n := range r.order {
			if n.kept {
				n.hasBlobs(func(d digest, _ int64) { taken[d] = true })
			}
		}
	}
	var all int64
	for _, r := range slices.Backward(g.repos) {
		for _, n := range slices.Backward(r.gone) {
			n.hasBlobs(func(d digest, bytes int64) {
				if !taken[d] && bytes > 0 {
					taken[d] = true
					n.frees += bytes
				}
			})
			all += n.frees
		}
	}
	for _, r := range g.repos {
		for _, n := range r.order {
			n.blobs = nil // their room is for the plan
		}
	}
	return all
}

// hasBlobs are all that a manifest holds on to, itself among it.
func (n *node) hasBlobs(each func(digest, int64)) {
	each(n.digest, n.bytes)
	for _, b := range n.blobs {
		each(b.digest, b.bytes)
	}
}
