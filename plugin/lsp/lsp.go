// Package lsp is `docker imgmgr lsp`: the linter as a language server for
// editors, over standard input and output. It has diagnostics, quick fixes,
// source.fixAll, and the documentation of a rule where the pointer rests.
//
// What is linted is the text in the editor, saved or not, with the same
// configuration, build context and rules as `docker imgmgr lint` would use for
// the file. [Serve] speaks the protocol; protocol.go has its types, documents.go
// what is open, diagnostics.go, actions.go and hover.go one feature each.
//
// https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/
package lsp

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/channel"
	"github.com/creachadair/jrpc2/handler"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/report"
	"github.com/imgmgr/imgmgr/plugin/lint"
	"github.com/imgmgr/imgmgr/plugin/ui"
)

// notInitialized is an error code of the protocol beside those of JSON-RPC.
const notInitialized jrpc2.Code = -32002

// phase is how far a session has come.
type phase int32

const (
	fresh phase = iota // waits for initialize
	running
	shut // waits for exit
)

// server is one session with one editor.
type server struct {
	options lint.Options
	version string
	rules   map[string]*engine.Rule
	links   report.Rules
	methods handler.Map
	rpc     *jrpc2.Server
	phase   atomic.Int32
	exit    chan struct{}
	left    sync.Once

	// What the editor is capable of. Written once, by initialize.
	watches, versionedEdits, createsFiles bool

	mu        sync.Mutex
	documents map[string]*document // by URI

	// publishing keeps diagnostics in the order that they are made in.
	publishing sync.Mutex
}

// Serve speaks the protocol until the editor says exit or goes away, or ctx is
// done. The error is a *ui.Exit with code 1, as the protocol has it, when the
// editor left without a shutdown. The options' Rules are linted with.
func Serve(ctx context.Context, in io.Reader, out io.Writer, version string, o lint.Options) error {
	s := &server{
		options: o, version: version, links: report.Index(o.Rules),
		rules: map[string]*engine.Rule{}, documents: map[string]*document{}, exit: make(chan struct{}),
	}
	for _, r := range o.Rules {
		s.rules[r.Name] = r
	}
	s.methods = handler.Map{
		"initialize":                      handler.New(s.initialize),
		"initialized":                     s.initialized,
		"shutdown":                        s.shutdown,
		"exit":                            s.leave,
		"$/cancelRequest":                 handler.New(s.cancel),
		"textDocument/didOpen":            handler.New(s.didOpen),
		"textDocument/didChange":          handler.New(s.didChange),
		"textDocument/didSave":            s.refreshAll,
		"textDocument/didClose":           handler.New(s.didClose),
		"textDocument/codeAction":         handler.New(s.codeAction),
		"textDocument/hover":              handler.New(s.hover),
		"workspace/didChangeWatchedFiles": s.refreshAll,
	}
	// The server sees to it that a notification is done with before what came
	// behind it starts, so that texts change in order.
	s.rpc = jrpc2.NewServer(s, &jrpc2.ServerOptions{
		AllowPush: true, DisableBuiltin: true, Concurrency: 8,
		NewContext: func() context.Context { return ctx },
	})
	s.rpc.Start(&stream{channel.LSP(in, nopCloser{out})})
	gone := make(chan error, 1)
	go func() { gone <- s.rpc.Wait() }()
	select {
	case <-s.exit:
	case err := <-gone:
		if err != nil && !errors.Is(err, io.EOF) && phase(s.phase.Load()) == running {
			return err
		}
	case <-ctx.Done():
	}
	if phase(s.phase.Load()) != shut {
		return &ui.Exit{Code: 1}
	}
	return nil
}

// Assign finds the handler of a method, or one that refuses it: before
// initialize and after shutdown nothing else is answered.
func (s *server) Assign(ctx context.Context, method string) jrpc2.Handler {
	refuse := func(code jrpc2.Code, why string) jrpc2.Handler {
		return func(context.Context, *jrpc2.Request) (any, error) { return nil, jrpc2.Errorf(code, "%s", why) }
	}
	switch at := phase(s.phase.Load()); {
	case method == "exit", method == "$/cancelRequest":
	case at == fresh && method != "initialize":
		return refuse(notInitialized, "initialize comes first")
	case at == running && method == "initialize":
		return refuse(jrpc2.InvalidRequest, "initialize comes only once")
	case at == shut:
		return refuse(jrpc2.InvalidRequest, "the server is shut down; only exit may follow")
	}
	return s.methods.Assign(ctx, method)
}

func (s *server) initialize(_ context.Context, p initializeParams) initializeResult {
	s.watches = p.Capabilities.Workspace.DidChangeWatchedFiles.DynamicRegistration
	edits := p.Capabilities.Workspace.WorkspaceEdit
	s.versionedEdits, s.createsFiles = edits.DocumentChanges, slices.Contains(edits.ResourceOperations, "create")
	s.phase.Store(int32(running))
	return initializeResult{
		ServerInfo: serverInfo{"imgmgr", s.version},
		Capabilities: capabilities{
			PositionEncoding: "utf-16",
			TextDocumentSync: syncOptions{OpenClose: true, Change: incremental, Save: true},
			HoverProvider:    true,
			CodeActions:      codeActionOptions{[]string{quickFix, fixAll}},
		},
	}
}

// initialized asks to hear of files that decide what is found.
func (s *server) initialized(ctx context.Context, _ *jrpc2.Request) (any, error) {
	if !s.watches {
		return nil, nil
	}
	var watchers []watcher
	for _, glob := range watched() {
		watchers = append(watchers, watcher{glob})
	}
	// It can't be waited for here: what comes behind this notification waits
	// until it is handled.
	go func() {
		_, _ = s.rpc.Callback(context.WithoutCancel(ctx), "client/registerCapability", registrationParams{[]registration{
			{ID: "imgmgr-files", Method: "workspace/didChangeWatchedFiles", Options: watchOptions{watchers}},
		}})
	}()
	return nil, nil
}

func (s *server) shutdown(context.Context, *jrpc2.Request) (any, error) {
	s.phase.Store(int32(shut))
	return nil, nil
}

func (s *server) leave(context.Context, *jrpc2.Request) (any, error) {
	s.left.Do(func() { close(s.exit) })
	return nil, nil
}

func (s *server) cancel(ctx context.Context, p cancelParams) error {
	jrpc2.ServerFromContext(ctx).CancelRequest(string(p.ID))
	return nil
}
