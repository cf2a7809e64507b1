package ecosystem_test

import "testing"

// TestNpmAsksForVersions: without a lock file that it keeps to, npm could choose
// a version by an answer in its cache.
func TestNpmAsksForVersions(t *testing.T) {
	const cache, asks = "packages /root/.npm/_cacache", " --prefer-online"
	for _, tt := range []struct{ command, want string }{
		{"npm ci", cache},
		{"npm install", cache + " install=>install" + asks},
		{"npm i -g serve", cache + " i=>i" + asks},
		{"npm install --prefer-online", cache},
		{"npm install --prefer-offline", cache + " doubt(npm install with prefer-offline may choose versions by what an old cache holds)"},
		{"npm in\"\"stall", cache + " doubt(npm may take a list of versions from its cache, without --prefer-online)"},
	} {
		if got := cachesOf(t, tt.command, root()); got != tt.want {
			t.Errorf("caches of %s:\n got %s\nwant %s", tt.command, got, tt.want)
		}
	}
}
