package lsp

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/creachadair/jrpc2"

	"github.com/imgmgr/imgmgr/lint/edit"
	"github.com/imgmgr/imgmgr/lint/report"
	"github.com/imgmgr/imgmgr/plugin/lint"
)

// document is a text that is open in the editor.
type document struct {
	uri, path string
	// changed says that there is something to lint, closed that there is no
	// more. Changes that come while one is linted become one.
	changed, closed chan struct{}

	version int   // guarded by server.mu, as text is
	text    *text // never changed, but replaced

	checking sync.Mutex
	last     *checked // guarded by checking
}

// checked is one version of a document with what was found in it.
type checked struct {
	document *document
	version  int
	text     *text
	report   report.File
}

// watched are the files, beside the document itself, that findings depend on
// and that change behind the editor's back.
func watched() []string {
	return []string{"**/.imgmgr.{yaml,yml}", "**/.hadolint.{yaml,yml}", "**/*.dockerignore"}
}

func (s *server) didOpen(ctx context.Context, p didOpenParams) error {
	d := &document{
		uri: p.TextDocument.URI, path: path(p.TextDocument.URI),
		changed: make(chan struct{}, 1), closed: make(chan struct{}),
		version: p.TextDocument.Version, text: newText([]byte(p.TextDocument.Text)),
	}
	s.mu.Lock()
	if before := s.documents[d.uri]; before != nil {
		close(before.closed)
	}
	s.documents[d.uri] = d
	s.mu.Unlock()
	go s.watch(context.WithoutCancel(ctx), d)
	d.refresh()
	return nil
}

func (s *server) didChange(_ context.Context, p didChangeParams) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.documents[p.TextDocument.URI]
	if d == nil {
		return notOpen(p.TextDocument.URI)
	}
	t := d.text
	for _, c := range p.Changes {
		if c.Range == nil {
			t = newText([]byte(c.Text))
			continue
		}
		src, err := edit.Apply(t.src, []edit.Edit{{Span: t.bytes(*c.Range), New: c.Text}})
		if err != nil {
			return err
		}
		t = newText(src)
	}
	d.text, d.version = t, p.TextDocument.Version
	d.refresh()
	return nil
}

func (s *server) didClose(_ context.Context, p didCloseParams) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.documents[p.TextDocument.URI]
	if d == nil {
		return notOpen(p.TextDocument.URI)
	}
	delete(s.documents, d.uri)
	close(d.closed)
	return nil
}

// refreshAll lints everything anew: a file that was saved can be part of the
// build context of any document, or its configuration.
func (s *server) refreshAll(context.Context, *jrpc2.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
	for _, d := range s.documents {
		d.text = newText(d.text.src) // what was found in the old one counts no more
		d.refresh()
	}
	return nil, nil
}

// imageAge is for how long a session goes by what it was told of base images.
const imageAge = 10 * time.Minute

// forget lets go of what may be otherwise by now: a file that was saved may have
// been committed.
func (s *server) forget() {
	if s.options.History != nil {
		s.options.History.Forget()
	}
	if s.options.Images != nil {
		s.options.Images.Forget(imageAge)
	}
}

func (d *document) refresh() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// watch lints a document as it changes, until it is closed.
func (s *server) watch(ctx context.Context, d *document) {
	for {
		select {
		case <-d.closed:
			s.publish(ctx, d, nil)
			return
		case <-d.changed:
			if c, err := s.check(ctx, d.uri); err == nil && c.document == d {
				s.publish(ctx, d, c)
			}
		}
	}
}

// check lints a document as it is now, unless that is done.
func (s *server) check(ctx context.Context, uri string) (*checked, error) {
	s.mu.Lock()
	d := s.documents[uri]
	if d == nil {
		s.mu.Unlock()
		return nil, notOpen(uri)
	}
	c := &checked{document: d, version: d.version, text: d.text}
	s.mu.Unlock()
	d.checking.Lock()
	defer d.checking.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if d.last != nil && d.last.text == c.text {
		return d.last, nil
	}
	c.report = lint.Check(ctx, s.options, d.path, c.text.src)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.last = c
	return c, nil
}

func notOpen(uri string) error {
	return jrpc2.Errorf(jrpc2.InvalidParams, "%s is not open", uri)
}

// path is the file that a URI names; a text that is none, as one that was never
// saved, counts as standard input.
func path(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" {
		return lint.Stdin
	}
	name := u.Path
	if drive := strings.TrimPrefix(name, "/"); len(drive) > 1 && drive[1] == ':' {
		name = drive
	}
	if u.Host != "" && u.Host != "localhost" {
		name = "//" + u.Host + name
	}
	return filepath.FromSlash(name)
}

// uri names a file; it is path's counterpart.
func uri(name string) string {
	if full, err := filepath.Abs(name); err == nil {
		name = full
	}
	name = filepath.ToSlash(name)
	if !strings.HasPrefix(name, "/") {
		name = "/" + name // a drive
	}
	return (&url.URL{Scheme: "file", Path: name}).String()
}
