package lsp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/channel"

	"github.com/imgmgr/imgmgr/plugin/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

type object = map[string]any

// editor is the other end of the protocol: it has started the real program and
// talks to it over pipes.
type editor struct {
	*testing.T
	rpc       *jrpc2.Client
	cmd       *exec.Cmd
	published chan json.RawMessage
	callbacks chan string
	stderr    *bytes.Buffer
}

// start starts the program.
func start(t *testing.T, flags ...string) *editor {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", "1735689600") // the first day of 2025
	// Nothing of the user's own is seen.
	for _, name := range []string{"DOCKER_CONFIG", "XDG_CACHE_HOME"} {
		t.Setenv(name, t.TempDir())
	}
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "no-engine.sock"))
	e := &editor{T: t, published: make(chan json.RawMessage, 100), callbacks: make(chan string, 100), stderr: &bytes.Buffer{}}
	e.cmd = exec.Command("docker-imgmgr", append([]string{"lsp"}, flags...)...)
	e.cmd.Stderr = e.stderr
	e.cmd.Dir = t.TempDir()
	in, err := e.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.cmd.Process.Kill() })
	e.rpc = jrpc2.NewClient(channel.LSP(out, in), &jrpc2.ClientOptions{
		OnNotify: func(r *jrpc2.Request) {
			if r.Method() == "textDocument/publishDiagnostics" {
				var params json.RawMessage
				_ = r.UnmarshalParams(&params)
				e.published <- params
			}
		},
		OnCallback: func(_ context.Context, r *jrpc2.Request) (any, error) {
			e.callbacks <- r.Method() + " " + r.ParamString()
			return nil, nil
		},
	})
	return e
}

// session starts the program and opens a session; the capabilities are the
// editor's.
func session(t *testing.T, capabilities object, flags ...string) *editor {
	t.Helper()
	e := start(t, flags...)
	var result struct {
		Capabilities struct{ TextDocumentSync struct{ Change int } }
	}
	e.call("initialize", object{"processId": nil, "rootUri": nil, "capabilities": capabilities}, &result)
	if result.Capabilities.TextDocumentSync.Change != 2 {
		t.Fatalf("synchronisation is %d, want incremental", result.Capabilities.TextDocumentSync.Change)
	}
	e.notify("initialized", object{})
	return e
}

func (e *editor) call(method string, params, result any) {
	e.Helper()
	if err := e.rpc.CallResult(e.Context(), method, params, result); err != nil {
		e.Fatalf("%s: %v\n%s", method, err, e.stderr)
	}
}

func (e *editor) notify(method string, params any) {
	e.Helper()
	if err := e.rpc.Notify(e.Context(), method, params); err != nil {
		e.Fatalf("%s: %v", method, err)
	}
}

// refused is the code of the error that a call gets.
func (e *editor) refused(method string, params any) jrpc2.Code {
	e.Helper()
	_, err := e.rpc.Call(e.Context(), method, params)
	refusal, ok := errors.AsType[*jrpc2.Error](err)
	if !ok {
		e.Fatalf("%s is answered with %v, want a refusal", method, err)
	}
	return refusal.Code
}

// end ends the session as an editor should, and returns the exit code.
func (e *editor) end() int {
	e.Helper()
	var none json.RawMessage
	e.call("shutdown", nil, &none)
	if string(none) != "null" {
		e.Errorf("shutdown is answered with %s, want null", none)
	}
	e.notify("exit", nil)
	return e.code()
}

// code waits for the program's end.
func (e *editor) code() int {
	e.Helper()
	done := make(chan struct{})
	go func() { _ = e.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		e.Fatal("it doesn't exit")
	}
	return e.cmd.ProcessState.ExitCode()
}

type found struct {
	URI         string
	Version     *int
	Diagnostics []struct {
		Code, Message, Source string
		Severity              int
		CodeDescription       struct{ Href string }
		Range                 span
	}
}

type position struct{ Line, Character int }
type span struct{ Start, End position }

func (f found) codes() []string {
	codes := []string{}
	for _, d := range f.Diagnostics {
		codes = append(codes, d.Code)
	}
	return slices.Sorted(slices.Values(codes))
}

// diagnostics waits for those of a version; version -1 is none, of a closed
// text.
func (e *editor) diagnostics(version int) found {
	e.Helper()
	for {
		select {
		case text := <-e.published:
			var f found
			if err := json.Unmarshal(text, &f); err != nil {
				e.Fatal(err)
			}
			if f.Version == nil && version == -1 || f.Version != nil && *f.Version == version {
				return f
			}
		case <-time.After(time.Minute):
			e.Fatalf("no diagnostics of version %d come\n%s", version, e.stderr)
		}
	}
}

// file makes a file in the editor's folder, and returns its URI.
func (e *editor) file(name, text string) string {
	e.Helper()
	path := filepath.Join(e.cmd.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		e.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		e.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

func (e *editor) open(uri, text string) {
	e.Helper()
	e.notify("textDocument/didOpen", object{"textDocument": object{"uri": uri, "languageId": "dockerfile", "version": 1, "text": text}})
}

func (e *editor) change(uri string, version int, changes ...object) {
	e.Helper()
	e.notify("textDocument/didChange", object{"textDocument": object{"uri": uri, "version": version}, "contentChanges": changes})
}

func at(line, character int) object { return object{"line": line, "character": character} }

func between(startLine, startCharacter, endLine, endCharacter int) object {
	return object{"start": at(startLine, startCharacter), "end": at(endLine, endCharacter)}
}

type action struct {
	Title, Kind string
	IsPreferred bool
	Diagnostics []struct{ Code string }
	Edit        struct {
		Changes         map[string][]textEdit
		DocumentChanges []struct {
			Kind, URI    string // of a file to create
			TextDocument struct {
				URI     string
				Version *int
			}
			Edits []textEdit
		}
	}
}

type textEdit struct {
	Range   span
	NewText string
}

func (e *editor) actions(uri string, where object, only ...string) []action {
	e.Helper()
	about := object{"diagnostics": []any{}}
	if len(only) > 0 {
		about["only"] = only
	}
	var actions []action
	e.call("textDocument/codeAction", object{"textDocument": object{"uri": uri}, "range": where, "context": about}, &actions)
	return actions
}

// apply makes edits as an editor does: all are places in the text before them.
func apply(text string, edits []textEdit) string {
	offset := func(p position) int {
		at := 0
		for range p.Line {
			at += strings.Index(text[at:], "\n") + 1
		}
		for units := 0; units < p.Character; {
			for _, c := range text[at:] {
				at += len(string(c))
				if units++; c > 0xffff {
					units++
				}
				break
			}
		}
		return at
	}
	sorted := slices.Clone(edits)
	slices.SortStableFunc(sorted, func(a, b textEdit) int { return offset(a.Range.Start) - offset(b.Range.Start) })
	var b strings.Builder
	last := 0
	for _, e := range sorted {
		b.WriteString(text[last:offset(e.Range.Start)] + e.NewText)
		last = offset(e.Range.End)
	}
	return b.String() + text[last:]
}
