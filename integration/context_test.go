//go:build linux

package integration_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// TestFactsCostOneSmallTransfer builds a project of many files, and one large
// one, with BuildKit's own frontend and with ours. What ours asks of the context
// must not grow with it.
func TestFactsCostOneSmallTransfer(t *testing.T) {
	const files, large, allowed = 5_000, 48 << 20, 16 << 10
	sent := map[string]int64{}
	for name, ref := range map[string]string{"plain": "", "ours": frontendRef} {
		// A folder of its own, for BuildKit is sent only what it hasn't yet.
		dir := project(t, "go-service")
		for i := range files {
			file := filepath.Join(dir, "data", fmt.Sprint(i%50), fmt.Sprint(i))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(file), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "large"), make([]byte, large), 0o644); err != nil {
			t.Fatal(err)
		}
		// With cgo, the rules ask for the names of C headers, too. They ask for all
		// stages, and what isn't built need not be waited for.
		req := sandbox.BuildRequest{Context: dir, Frontend: ref, Target: "sources", Dockerfile: []byte(`FROM golang:1.26-bookworm AS sources
WORKDIR /src
COPY . .
FROM sources
RUN go mod download
RUN go build -o /service ./cmd/service
`)}
		sent[name] = build(t, req).ContextBytes
		if ref != "" {
			if e := explain(t, req); len(e.Applied) == 0 {
				t.Fatalf("nothing was rewritten, so nothing was asked; left: %+v", e.Left)
			}
		}
	}
	t.Logf("bytes sent: %v", sent)
	if sent["plain"] < large {
		t.Errorf("the plain build was sent %d bytes, fewer than the context has", sent["plain"])
	}
	if more := sent["ours"] - sent["plain"]; more > allowed {
		t.Errorf("our frontend was sent %d bytes more than BuildKit's, of a context of %d", more, sent["plain"])
	}
}
