package retention

// count finds what the plan frees. A blob is freed with the last manifest that
// needs it, in the order of the plan, and not at all when one of those stays.
// Registries and engines keep a blob once for all repositories.
func (g *graph) count(plan *Plan) {
	taken := map[string]bool{}
	for _, r := range g.repos {
		for _, n := range r.order {
			if n.kept != "" {
				n.blobs(func(digest string, _ int64) { taken[digest] = true })
			}
		}
	}
	byRef := map[string]*node{}
	for _, r := range g.repos {
		for _, n := range r.order {
			if n.kept == "" {
				byRef[n.ref()] = n
			}
		}
	}
	for i := len(plan.Remove) - 1; i >= 0; i-- {
		item := &plan.Remove[i]
		n := byRef[item.Ref]
		if n == nil {
			continue // a name weighs nothing
		}
		n.blobs(func(digest string, bytes int64) {
			if !taken[digest] && bytes > 0 {
				taken[digest] = true
				item.Bytes += bytes
			}
		})
		plan.FreesBytes += item.Bytes
	}
}

// blobs are all that a manifest holds on to, itself among it.
func (n *node) blobs(each func(digest string, bytes int64)) {
	each(n.Digest, n.Manifest.Bytes)
	for _, b := range n.Blobs {
		each(b.Digest, b.Bytes)
	}
}
