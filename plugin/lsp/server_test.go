package lsp_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/channel"
)

const pinned = "FROM alpine:3.20@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nUSER app\n"

func TestTheTextInTheEditorIsLinted(t *testing.T) {
	e := session(t, object{})
	uri := e.file("Dockerfile", pinned) // the file is clean, and stays so
	e.open(uri, pinned+"MAINTAINER \U0001F433\r\n")
	f := e.diagnostics(1)
	if len(f.Diagnostics) != 1 || f.URI != uri {
		t.Fatalf("found %+v", f)
	}
	d := f.Diagnostics[0]
	if d.Code != "MaintainerDeprecated" || d.Source != "imgmgr" || d.Severity != 3 || d.CodeDescription.Href == "" {
		t.Errorf("the diagnostic is %+v", d)
	}
	if want := (span{position{2, 0}, position{2, 13}}); d.Range != want { // the whale is two units
		t.Errorf("it is at %v, want %v", d.Range, want)
	}
	// Changes are made in order, each of the text before it, by UTF-16 units.
	e.change(uri, 2,
		object{"range": between(2, 11, 2, 13), "text": "é"}, // the whale
		object{"range": between(2, 12, 2, 12), "text": "x"},
		object{"range": between(2, 0, 2, 11), "text": "LABEL maintainer="},
	)
	if f := e.diagnostics(2); len(f.Diagnostics) != 0 {
		t.Errorf("after the change: %+v", f)
	}
	e.change(uri, 3, object{"text": "FROM scratch\nCOPY <<EOF /x\n"})
	f = e.diagnostics(3)
	if len(f.Diagnostics) != 1 || f.Diagnostics[0].Severity != 1 || f.Diagnostics[0].Range.Start.Line != 1 {
		t.Errorf("a text that can't be parsed: %+v", f)
	}
	e.notify("textDocument/didClose", object{"textDocument": object{"uri": uri}})
	if f := e.diagnostics(-1); len(f.Diagnostics) != 0 {
		t.Errorf("a closed text keeps %+v", f)
	}
	if code := e.end(); code != 0 {
		t.Errorf("exit code %d\n%s", code, e.stderr)
	}
}

// TestOrderOfChanges sends a text letter by letter: the last version has to be
// what was typed.
func TestOrderOfChanges(t *testing.T) {
	e := session(t, object{})
	uri := e.file("Dockerfile", "")
	e.open(uri, "")
	text := "FROM scratch\nMAINTAINER größe \U0001F433\n"
	line, character, version := 0, 0, 1
	for _, c := range text {
		version++
		e.change(uri, version, object{"range": between(line, character, line, character), "text": string(c)})
		switch {
		case c == '\n':
			line, character = line+1, 0
		case c > 0xffff:
			character += 2
		default:
			character++
		}
	}
	f := e.diagnostics(version)
	if got := f.codes(); !slices.Equal(got, []string{"MaintainerDeprecated"}) {
		t.Errorf("found %v", got)
	}
	if got, want := f.Diagnostics[0].Range.End, (position{1, 19}); got != want {
		t.Errorf("the finding ends at %v, want %v", got, want)
	}
}

func TestQuickFixes(t *testing.T) {
	e := session(t, object{"workspace": object{"workspaceEdit": object{"documentChanges": true}}})
	text := "# \U0001F433 größe\r\nFROM scratch\r\n  MAINTAINER a\r\nEXPOSE 80/TCP\r\n"
	uri := e.file("Dockerfile", "")
	e.open(uri, text)
	actions := e.actions(uri, between(2, 4, 2, 4), "quickfix")
	titles := []string{}
	for _, a := range actions {
		titles = append(titles, a.Title)
		if a.Kind != "quickfix" || len(a.Diagnostics) != 1 || a.Diagnostics[0].Code != "MaintainerDeprecated" {
			t.Errorf("%s is %+v", a.Title, a)
		}
	}
	if want := []string{"Write the label", "Ignore MaintainerDeprecated for this instruction"}; !slices.Equal(titles, want) {
		t.Fatalf("the actions are %q, want %q", titles, want)
	}
	if !actions[0].IsPreferred || actions[1].IsPreferred {
		t.Error("the safe fix is the one to prefer")
	}
	for i, want := range []string{
		strings.Replace(text, "MAINTAINER a", `LABEL org.opencontainers.image.authors="a"`, 1),
		strings.Replace(text, "  MAINTAINER", "  # imgmgr ignore=MaintainerDeprecated\r\n  MAINTAINER", 1),
	} {
		change := actions[i].Edit.DocumentChanges[0]
		if change.TextDocument.URI != uri || *change.TextDocument.Version != 1 {
			t.Errorf("the change is of %+v", change.TextDocument)
		}
		got := apply(text, change.Edits)
		if got != want {
			t.Errorf("%s gives\n%q, want\n%q", titles[i], got, want)
		}
		e.change(uri, 2+i, object{"text": got})
		if codes := e.diagnostics(2 + i).codes(); slices.Contains(codes, "MaintainerDeprecated") {
			t.Errorf("after %q there is still %v", titles[i], codes)
		}
	}
	if got := e.actions(uri, between(0, 0, 0, 0), "refactor"); len(got) != 0 {
		t.Errorf("there is no refactoring, but %+v", got)
	}
}

// TestIgnoreListFix: a fix can be of the build context's ignore list, which the
// editor makes where there is none, if it can.
func TestIgnoreListFix(t *testing.T) {
	text := "FROM scratch\nCOPY . /app\n"
	fixes := func(e *editor, uri string) []action {
		return slices.DeleteFunc(e.actions(uri, between(1, 0, 1, 0), "quickfix"), func(a action) bool {
			return a.Diagnostics[0].Code != "NeedlessFilesCopied" || a.IsPreferred || strings.HasPrefix(a.Title, "Ignore")
		})
	}
	e := session(t, object{"workspace": object{"workspaceEdit": object{"documentChanges": true, "resourceOperations": []string{"create"}}}}, "--offline")
	uri := e.file("Dockerfile", text)
	list := strings.TrimSuffix(uri, "Dockerfile") + ".dockerignore"
	e.open(uri, text)
	got := fixes(e, uri)
	if len(got) != 1 || got[0].Title != "Add Dockerfile to .dockerignore (unsafe)" || len(got[0].Edit.DocumentChanges) != 2 {
		t.Fatalf("the fixes are %+v", got)
	}
	create, change := got[0].Edit.DocumentChanges[0], got[0].Edit.DocumentChanges[1]
	if create.Kind != "create" || create.URI != list || change.TextDocument.URI != list || change.TextDocument.Version != nil {
		t.Errorf("the changes are %+v and %+v", create, change)
	}
	if got := apply("", change.Edits); got != "Dockerfile\n" {
		t.Errorf("the list is %q", got)
	}
	e.file(".dockerignore", "a")
	got = fixes(e, uri)
	if len(got) != 1 || len(got[0].Edit.DocumentChanges) != 1 || apply("a", got[0].Edit.DocumentChanges[0].Edits) != "a\nDockerfile\n" {
		t.Errorf("with a list the fixes are %+v", got)
	}
	if code := e.end(); code != 0 {
		t.Errorf("exit code %d\n%s", code, e.stderr)
	}

	e = session(t, object{}, "--offline") // can't make files
	uri = e.file("Dockerfile", text)
	e.open(uri, text)
	if got := fixes(e, uri); len(got) != 0 {
		t.Errorf("an editor that can't make files is offered %+v", got)
	}
	if code := e.end(); code != 0 {
		t.Errorf("exit code %d\n%s", code, e.stderr)
	}
}

func TestFixAll(t *testing.T) {
	e := session(t, object{}) // can't do documentChanges
	text := "# \U0001F433\nFROM scratch\nMAINTAINER a\nEXPOSE 80/TCP\n# end\n"
	uri := e.file("Dockerfile", "")
	e.open(uri, text)
	for _, only := range []string{"source", "source.fixAll", "source.fixAll.imgmgr"} {
		actions := e.actions(uri, between(0, 0, 0, 0), only)
		if len(actions) != 1 || actions[0].Kind != "source.fixAll.imgmgr" {
			t.Fatalf("%s: %+v", only, actions)
		}
		edits := actions[0].Edit.Changes[uri]
		want := "# \U0001F433\nFROM scratch\nLABEL org.opencontainers.image.authors=\"a\"\nEXPOSE 80/tcp\n# end\n"
		if got := apply(text, edits); got != want {
			t.Errorf("%s gives\n%s", only, got)
		}
		if len(edits) != 1 || edits[0].Range != (span{position{2, 0}, position{4, 0}}) {
			t.Errorf("it changes more than has to be changed: %+v", edits)
		}
	}
	if got := e.actions(uri, between(0, 0, 0, 0), "source.organizeImports"); len(got) != 0 {
		t.Errorf("there are no imports, but %+v", got)
	}
	e.change(uri, 2, object{"text": "FROM scratch\n"})
	if got := e.actions(uri, between(0, 0, 0, 0), "source.fixAll"); len(got) != 0 {
		t.Errorf("there is nothing to fix, but %+v", got)
	}
}

// TestFixAllOfBothDocuments: what is safe to leave out of the build context goes
// into the ignore list with the same action, into the one that is in force.
func TestFixAllOfBothDocuments(t *testing.T) {
	text := "FROM scratch\nMAINTAINER a\nCOPY --exclude=data . /app\n"
	fixedText := "FROM scratch\nLABEL org.opencontainers.image.authors=\"a\"\nCOPY --exclude=data . /app\n"
	// begin opens a text whose context has a folder that no step can reach.
	begin := func(edits object, text string) (e *editor, uri string) {
		e = session(t, object{"workspace": object{"workspaceEdit": edits}}, "--offline")
		uri = e.file("Dockerfile", text)
		e.file("data/video", strings.Repeat("x", 1_200_000))
		e.open(uri, text)
		return e, uri
	}
	all := func(e *editor, uri string) []action { return e.actions(uri, between(0, 0, 0, 0), "source.fixAll") }
	makes := object{"documentChanges": true, "resourceOperations": []string{"create"}}

	e, uri := begin(makes, text)
	list := strings.TrimSuffix(uri, "Dockerfile") + ".dockerignore"
	got := all(e, uri)
	if len(got) != 1 || len(got[0].Edit.DocumentChanges) != 3 {
		t.Fatalf("the actions are %+v", got)
	}
	changes := got[0].Edit.DocumentChanges
	if changes[0].TextDocument.URI != uri || *changes[0].TextDocument.Version != 1 || apply(text, changes[0].Edits) != fixedText {
		t.Errorf("the Dockerfile's change is %+v", changes[0])
	}
	if changes[1].Kind != "create" || changes[1].URI != list || changes[2].TextDocument.URI != list || apply("", changes[2].Edits) != "data\n" {
		t.Errorf("the list's changes are %+v", changes[1:])
	}
	// A list is added to where it is, and the one beside the Dockerfile goes first.
	for _, name := range []string{".dockerignore", "Dockerfile.dockerignore"} {
		list := e.file(name, "none\n")
		if got = all(e, uri); len(got) != 1 || len(got[0].Edit.DocumentChanges) != 2 {
			t.Fatalf("with %s the actions are %+v", name, got)
		}
		change := got[0].Edit.DocumentChanges[1]
		if change.TextDocument.URI != list || apply("none\n", change.Edits) != "none\ndata\n" {
			t.Errorf("the change of %s is %+v", name, change)
		}
	}
	// With the changes made, nothing is left to fix.
	e.file("Dockerfile.dockerignore", "none\ndata\n")
	e.change(uri, 2, object{"text": fixedText})
	if got := all(e, uri); len(got) != 0 {
		t.Errorf("after all there is %+v", got)
	}
	// It is an action, too, where only the list is to be changed.
	e.file("Dockerfile.dockerignore", "none\n")
	e.change(uri, 3, object{"text": fixedText + "# end\n"})
	if got := all(e, uri); len(got) != 1 || len(got[0].Edit.DocumentChanges) != 1 {
		t.Errorf("with a list to change alone there is %+v", got)
	}
	// What isn't safe is not in it.
	e.file("web.Dockerfile", "FROM scratch\n")
	e.change(uri, 4, object{"text": text})
	if got := all(e, uri); len(got) != 1 || len(got[0].Edit.DocumentChanges) != 1 || got[0].Edit.DocumentChanges[0].TextDocument.URI != uri {
		t.Errorf("with another Dockerfile in the context there is %+v", got)
	}
	if code := e.end(); code != 0 {
		t.Errorf("exit code %d\n%s", code, e.stderr)
	}

	e, uri = begin(object{}, text) // can't make files
	if got := all(e, uri); len(got) != 1 || len(got[0].Edit.Changes) != 1 || apply(text, got[0].Edit.Changes[uri]) != fixedText {
		t.Errorf("an editor that can't make files gets %+v", got)
	}
	list = e.file(".dockerignore", "none\n")
	e.change(uri, 2, object{"text": text + "# end\n"})
	if got := all(e, uri); len(got) != 1 || len(got[0].Edit.Changes) != 2 || apply("none\n", got[0].Edit.Changes[list]) != "none\ndata\n" {
		t.Errorf("with a list it gets %+v", got)
	}
	if code := e.end(); code != 0 {
		t.Errorf("exit code %d\n%s", code, e.stderr)
	}

	e, uri = begin(object{}, fixedText)
	if got := all(e, uri); len(got) != 0 {
		t.Errorf("an editor that can't make the only change gets %+v", got)
	}
	if code := e.end(); code != 0 {
		t.Errorf("exit code %d\n%s", code, e.stderr)
	}
}

func TestHover(t *testing.T) {
	e := session(t, object{})
	uri := e.file("Dockerfile", "")
	e.open(uri, "FROM scratch\nMAINTAINER a\n")
	var result *struct {
		Contents struct{ Kind, Value string }
		Range    span
	}
	where := func(line, character int) object {
		return object{"textDocument": object{"uri": uri}, "position": at(line, character)}
	}
	e.call("textDocument/hover", where(1, 3), &result)
	if result == nil || result.Contents.Kind != "markdown" || !strings.Contains(result.Contents.Value, "# MaintainerDeprecated\n") ||
		!strings.Contains(result.Contents.Value, "```dockerfile\n") {
		t.Errorf("the hover is %+v", result)
	}
	if want := (span{position{1, 0}, position{1, 12}}); result.Range != want {
		t.Errorf("it is about %v, want %v", result.Range, want)
	}
	e.call("textDocument/hover", where(0, 3), &result)
	if result != nil {
		t.Errorf("where nothing was found: %+v", result)
	}
}

func TestConfigurationIsTheNearest(t *testing.T) {
	e := session(t, object{"workspace": object{"didChangeWatchedFiles": object{"dynamicRegistration": true}}})
	select {
	case call := <-e.callbacks:
		if !strings.HasPrefix(call, "client/registerCapability") || !strings.Contains(call, ".imgmgr.") {
			t.Errorf("the editor is called with %s", call)
		}
	case <-time.After(time.Minute):
		t.Fatal("the server doesn't ask to hear of configuration files")
	}
	uri := e.file("a/b/Dockerfile", "")
	e.open(uri, "FROM scratch\nMAINTAINER a\n")
	if got := e.diagnostics(1).codes(); len(got) != 1 {
		t.Fatalf("found %v", got)
	}
	config := e.file("a/.imgmgr.yaml", "rules:\n  MaintainerDeprecated: off\n")
	e.notify("workspace/didChangeWatchedFiles", object{"changes": []object{{"uri": config, "type": 1}}})
	if got := e.diagnostics(1).codes(); len(got) != 0 {
		t.Errorf("with the rule off: %v", got)
	}
	e.file("a/.imgmgr.yaml", "rules:\n  NoSuchRule: off\n")
	e.notify("textDocument/didSave", object{"textDocument": object{"uri": config}})
	f := e.diagnostics(1)
	if len(f.Diagnostics) != 1 || f.Diagnostics[0].Severity != 1 || !strings.Contains(f.Diagnostics[0].Message, "nosuchrule") {
		t.Errorf("a configuration that can't be read gives %+v", f)
	}
}

func TestContextAndTextsWithoutFile(t *testing.T) {
	e := session(t, object{}, "--stdio", "--profile", "strict")
	e.open("untitled:Untitled-1", "FROM scratch\nMAINTAINER a\n")
	if got := e.diagnostics(1).codes(); !slices.Contains(got, "MaintainerDeprecated") {
		t.Errorf("a text without file: %v", got)
	}
	uri := e.file("app/Dockerfile", "")
	e.file("app/id_rsa", "-----BEGIN OPENSSH PRIVATE KEY-----\n")
	e.open(uri, "FROM scratch\nCOPY . /\n")
	before := e.diagnostics(1).codes()
	e.file("app/.dockerignore", "id_rsa\n")
	e.notify("textDocument/didSave", object{"textDocument": object{"uri": uri}})
	after := e.diagnostics(1).codes()
	if !slices.Contains(before, "SecretFileCopied") || slices.Contains(after, "SecretFileCopied") {
		t.Errorf("with the key in the build context %v, without %v", before, after)
	}
}

// TestProtocol holds the life of a session, and answers to what isn't known, to
// the protocol.
func TestProtocol(t *testing.T) {
	e := start(t)
	hover := object{"textDocument": object{"uri": "file:///x"}, "position": at(0, 0)}
	if code := e.refused("textDocument/hover", hover); code != -32002 {
		t.Errorf("before initialize: %d", code)
	}
	e.notify("textDocument/didOpen", object{"textDocument": object{"uri": "file:///x", "version": 1, "text": ""}})
	var result struct {
		ServerInfo struct{ Name, Version string }
	}
	e.call("initialize", object{"capabilities": object{}}, &result)
	if result.ServerInfo.Name != "imgmgr" || result.ServerInfo.Version != "test" {
		t.Errorf("the server is %+v", result.ServerInfo)
	}
	e.notify("initialized", object{})
	for method, want := range map[string]jrpc2.Code{
		"initialize":                  jrpc2.InvalidRequest,
		"textDocument/definition":     jrpc2.MethodNotFound,
		"$/unknown":                   jrpc2.MethodNotFound,
		"textDocument/hover":          jrpc2.InvalidParams, // not open: what came before initialize was dropped
		"textDocument/codeAction":     jrpc2.InvalidParams,
		"rpc.serverInfo":              jrpc2.MethodNotFound,
		"workspace/symbol":            jrpc2.MethodNotFound,
		"textDocument/semanticTokens": jrpc2.MethodNotFound,
	} {
		if code := e.refused(method, hover); code != want {
			t.Errorf("%s: %d, want %d", method, code, want)
		}
	}
	for _, method := range []string{"$/setTrace", "workspace/didChangeConfiguration", "unknown/notification"} {
		e.notify(method, object{"value": "off"}) // neither answered nor the end
	}
	e.notify("$/cancelRequest", object{"id": 4711})
	var none any
	e.call("shutdown", nil, &none)
	if code := e.refused("textDocument/hover", hover); code != jrpc2.InvalidRequest {
		t.Errorf("after shutdown: %d", code)
	}
	e.notify("exit", nil)
	if code := e.code(); code != 0 {
		t.Errorf("exit code %d after shutdown\n%s", code, e.stderr)
	}
	if e.stderr.Len() > 0 {
		t.Errorf("it complains: %s", e.stderr)
	}
}

func TestExitWithoutShutdown(t *testing.T) {
	e := session(t, object{})
	e.notify("exit", nil)
	if code := e.code(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	e = session(t, object{})
	e.rpc.Close() // the editor crashes
	if code := e.code(); code != 1 {
		t.Errorf("exit code %d of a server whose editor is gone, want 1", code)
	}
}

// TestCancel sends a request and its cancellation by hand, behind a text that is
// long to lint: it has to be answered as cancelled, and by its own id.
func TestCancel(t *testing.T) {
	cmd := exec.Command("docker-imgmgr", "lsp")
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	ch := channel.LSP(out, in)
	send := func(message object) {
		message = maps.Clone(message)
		message["jsonrpc"] = "2.0"
		text, err := json.Marshal(message)
		if err == nil {
			err = ch.Send(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	long := "FROM scratch\n" + strings.Repeat("RUN apt-get install curl | sh && cd /x && sudo y\n", 3000)
	document := object{"uri": "untitled:x"}
	send(object{"id": "one", "method": "initialize", "params": object{"capabilities": object{}}})
	if _, err := ch.Recv(); err != nil {
		t.Fatal(err)
	}
	send(object{"method": "textDocument/didOpen", "params": object{"textDocument": object{"uri": "untitled:x", "version": 1, "text": long}}})
	send(object{"id": "two", "method": "textDocument/hover", "params": object{"textDocument": document, "position": at(0, 0)}})
	send(object{"method": "$/cancelRequest", "params": object{"id": "two"}})
	if err := ch.Send([]byte("{not json")); err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{}
	for len(answers) < 2 {
		text, err := ch.Recv()
		if errors.Is(err, io.EOF) {
			t.Fatal("the server is gone")
		}
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			ID    any
			Error *jrpc2.Error
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatal(err)
		}
		if answer.Error != nil {
			answers[fmt.Sprint(answer.ID)] = fmt.Sprint(int(answer.Error.Code))
		}
	}
	if want := map[string]string{"two": "-32800", "<nil>": "-32700"}; !maps.Equal(answers, want) {
		t.Errorf("answers are %v, want %v", answers, want)
	}
}
