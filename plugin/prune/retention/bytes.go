package retention

import "slices"

// count turns the bytes of what goes into those that it frees, and returns their sum. A blob is freed
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
			var frees int64
			n.hasBlobs(func(d digest, bytes int64) {
				if !taken[d] && bytes > 0 {
					taken[d] = true
					frees += bytes
				}
			})
			n.bytes = frees
			all += frees
		}
	}
	for _, r := range g.repos {
		r.blobs = nil // their room is for the plan
	}
	return all
}

// hasBlobs are all that a manifest holds on to, itself among it.
func (n *node) hasBlobs(each func(digest, int64)) {
	each(n.digest, n.bytes)
	for _, b := range n.blobs() {
		each(b.digest, b.bytes)
	}
}
