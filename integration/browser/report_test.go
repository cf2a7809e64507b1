//go:build linux

// Package browser_test opens the pages that imgmgr writes in a real Chromium.
package browser_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/imgmgr/imgmgr/integration/sandbox"
	"github.com/imgmgr/imgmgr/plugin/analyze"
	"github.com/imgmgr/imgmgr/plugin/image/imagetest"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// report writes the page of an image with 300,000 dead bytes of 451,000. One of
// its paths would be markup if it were not escaped.
func report(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	img := imagetest.Case{Layers: []imagetest.Layer{
		{{Kind: "file", Path: "app/large", Size: 300_000, Mode: 0o644}, {Kind: "file", Path: "app/bin/program", Size: 100_000, Mode: 0o755}},
		{{Kind: "whiteout", Path: "app/large"}, {Kind: "file", Path: "etc/config", Size: 50_000, Mode: 0o644},
			{Kind: "file", Path: "etc/</script><img src=x onerror=document.title='hacked'>", Size: 1_000, Mode: 0o4755}},
	}}.Image(t)
	tag, err := name.NewTag("app:1")
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(dir, "app.tar")
	if err := tarball.WriteToFile(archive, tag, img); err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	err = analyze.Run(t.Context(), ui.Streams{Out: ui.Output{Writer: &page}}, analyze.Options{Image: archive, Format: analyze.HTML, NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "report.html")
	if err := os.WriteFile(path, page.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

// tab is a page in a browser.
type tab struct{ ctx context.Context }

func open(t *testing.T, url string, width, height int64) *tab {
	t.Helper()
	path, err := sandbox.Browser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	// Root can't have Chromium's own sandbox; the page is ours.
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, leave := chromedp.NewContext(ctx)
	t.Cleanup(leave)
	p := &tab{ctx}
	p.do(t, chromedp.EmulateViewport(width, height), chromedp.Navigate(url))
	return p
}

func (p *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// is holds what an expression gives in the page against what it should.
func (p *tab) is(t *testing.T, expression, want string) {
	t.Helper()
	got, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	if got != want {
		t.Errorf("%s is %q, want %q", expression, got, want)
	}
}

// media shows the page as on paper, or in the dark.
func media(kind, scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Media: kind, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

const rows = `[...document.querySelectorAll("#folder tbody tr")].map(r => [...r.cells].slice(0, 3).map(c => c.textContent).join(" ")).join("; ")`

func TestReportIsClickedThrough(t *testing.T) {
	p := open(t, report(t), 1280, 900)
	tile := func(path string) chromedp.Action[chromedp.Void] {
		return chromedp.Click(`#treemap button[data-path="` + path + `"]`)
	}
	p.is(t, rows, "app 400kB 300kB; etc 51kB –")

	// Into a folder, and back.
	p.do(t, tile("/app"))
	p.is(t, rows, "large 300kB 300kB; bin 100kB –")
	p.is(t, `document.activeElement.textContent`, "app")
	p.do(t, chromedp.KeyEvent(kb.Escape))
	p.is(t, rows, "app 400kB 300kB; etc 51kB –")

	// Only what is live, and by instruction.
	p.do(t, chromedp.Click(`[name=of][value=live]`))
	p.is(t, rows, "app 100kB –; etc 51kB –")
	p.do(t, chromedp.Click(`[name=of][value=shipped]`), chromedp.Click(`[name=by][value=layer]`))
	p.is(t, rows, "0 COPY layer 0 400kB 300kB; 1 COPY layer 1 51kB –")

	// What is searched for stays.
	p.do(t, chromedp.SendKeys(`#search`, "large"))
	p.is(t, rows, "/app/large 300kB 300kB")
	p.is(t, `[...document.querySelectorAll(".finding:not([hidden]) .what code")].map(c => c.textContent)`, "deleted-later")
	p.do(t, chromedp.KeyEvent(kb.Escape))
	p.is(t, `document.querySelectorAll(".finding[hidden]").length`, "0")

	// No path is taken for markup, and nothing was fetched.
	p.is(t, `document.title === document.querySelector("h1").textContent + " · imgmgr analyze"`, "true")
	p.is(t, `performance.getEntriesByType("resource").map(e => e.name)`, "")
}

// Nothing may be cut off on a phone or on paper, and all of it can be reached
// by keyboard.
func TestReportFits(t *testing.T) {
	url := report(t)
	for _, width := range []int64{1280, 400} {
		p := open(t, url, width, 800)
		p.is(t, `document.documentElement.scrollWidth <= innerWidth`, "true")
		p.is(t, `[...document.querySelectorAll("button, input")].every(e => e.textContent || e.ariaLabel || e.labels.length)`, "true")
		p.do(t, media("print", "light"))
		p.is(t, `getComputedStyle(document.querySelector("search")).display`, "none")
		p.do(t, media("screen", "dark"))
		p.is(t, `getComputedStyle(document.body).backgroundColor`, "rgb(22, 24, 29)")
	}
}
