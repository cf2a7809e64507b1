//go:build linux

package folders_test

import (
	"testing"

	"github.com/imgmgr/imgmgr/plugin/folders"
)

// A relative folder is taken for none, as the specification asks for.
func TestFolders(t *testing.T) {
	for _, c := range []struct{ variable, cache, registries, state string }{
		{"", "/home/a/.cache/imgmgr", "/home/a/.cache/imgmgr/registry", "/home/a/.local/state/imgmgr"},
		{"near", "/home/a/.cache/imgmgr", "/home/a/.cache/imgmgr/registry", "/home/a/.local/state/imgmgr"},
		{"/far", "/far/imgmgr", "/far/imgmgr/registry", "/far/imgmgr"},
	} {
		t.Setenv("HOME", "/home/a")
		t.Setenv("XDG_CACHE_HOME", c.variable)
		t.Setenv("XDG_STATE_HOME", c.variable)
		cache, err := folders.Cache()
		if err != nil || cache != c.cache || folders.Registries() != c.registries {
			t.Errorf("%q: the caches are %q and %q (%v), want %q and %q", c.variable, cache, folders.Registries(), err, c.cache, c.registries)
		}
		if state, err := folders.State(); err != nil || state != c.state {
			t.Errorf("%q: the state is in %q (%v), want %q", c.variable, state, err, c.state)
		}
	}
}

func TestNoHome(t *testing.T) {
	t.Setenv("HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("XDG_STATE_HOME", "")
	if dir, err := folders.Cache(); err == nil {
		t.Errorf("the cache is %q", dir)
	}
	if dir, err := folders.State(); err == nil {
		t.Errorf("the state is %q", dir)
	}
	if dir := folders.Registries(); dir != "" {
		t.Errorf("registries' is %q", dir)
	}
}
