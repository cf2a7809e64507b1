package lsp

import (
	"encoding/json"
	"maps"
)

// The part of the protocol's types, version 3.17, that this server uses. Fields
// have the protocol's names.

type (
	// position counts from 0: lines, and UTF-16 code units in a line.
	position struct {
		Line      int `json:"line"`
		Character int `json:"character"`
	}
	// span is the protocol's Range: the end is behind the last character.
	span struct {
		Start position `json:"start"`
		End   position `json:"end"`
	}
	textEdit struct {
		Range   span   `json:"range"`
		NewText string `json:"newText"`
	}
	textDocument struct {
		URI string `json:"uri"`
	}
	versionedDocument struct {
		URI     string `json:"uri"`
		Version int    `json:"version"`
	}
)

// Life of a session.
type (
	initializeParams struct {
		Capabilities struct {
			Workspace struct {
				WorkspaceEdit struct {
					DocumentChanges    bool     `json:"documentChanges"`
					ResourceOperations []string `json:"resourceOperations"`
				} `json:"workspaceEdit"`
				DidChangeWatchedFiles struct {
					DynamicRegistration bool `json:"dynamicRegistration"`
				} `json:"didChangeWatchedFiles"`
			} `json:"workspace"`
		} `json:"capabilities"`
	}
	initializeResult struct {
		Capabilities capabilities `json:"capabilities"`
		ServerInfo   serverInfo   `json:"serverInfo"`
	}
	serverInfo struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	capabilities struct {
		PositionEncoding string            `json:"positionEncoding"`
		TextDocumentSync syncOptions       `json:"textDocumentSync"`
		HoverProvider    bool              `json:"hoverProvider"`
		CodeActions      codeActionOptions `json:"codeActionProvider"`
	}
	syncOptions struct {
		OpenClose bool `json:"openClose"`
		Change    int  `json:"change"`
		Save      bool `json:"save"`
	}
	codeActionOptions struct {
		Kinds []string `json:"codeActionKinds"`
	}
	registrationParams struct {
		Registrations []registration `json:"registrations"`
	}
	registration struct {
		ID      string       `json:"id"`
		Method  string       `json:"method"`
		Options watchOptions `json:"registerOptions"`
	}
	watchOptions struct {
		Watchers []watcher `json:"watchers"`
	}
	watcher struct {
		Glob string `json:"globPattern"`
	}
	cancelParams struct {
		ID json.RawMessage `json:"id"`
	}
)

// incremental is the kind of synchronisation that sends parts of a text.
const incremental = 2

// Texts.
type (
	didOpenParams struct {
		TextDocument struct {
			versionedDocument
			Text string `json:"text"`
		} `json:"textDocument"`
	}
	didChangeParams struct {
		TextDocument versionedDocument `json:"textDocument"`
		Changes      []textChange      `json:"contentChanges"`
	}
	// textChange replaces the whole text where it has no range.
	textChange struct {
		Range *span  `json:"range"`
		Text  string `json:"text"`
	}
	didCloseParams struct {
		TextDocument textDocument `json:"textDocument"`
	}
)

// Diagnostics.
type (
	publishParams struct {
		URI         string       `json:"uri"`
		Version     *int         `json:"version,omitempty"`
		Diagnostics []diagnostic `json:"diagnostics"`
	}
	diagnostic struct {
		Range       span             `json:"range"`
		Severity    int              `json:"severity"`
		Code        string           `json:"code,omitempty"`
		Description *codeDescription `json:"codeDescription,omitempty"`
		Source      string           `json:"source"`
		Message     string           `json:"message"`
	}
	codeDescription struct {
		Href string `json:"href"`
	}
)

// Code actions and hovers.
type (
	codeActionParams struct {
		TextDocument textDocument `json:"textDocument"`
		Range        span         `json:"range"`
		Context      struct {
			Only []string `json:"only"`
		} `json:"context"`
	}
	codeAction struct {
		Title       string        `json:"title"`
		Kind        string        `json:"kind"`
		Diagnostics []diagnostic  `json:"diagnostics,omitempty"`
		Preferred   bool          `json:"isPreferred,omitempty"`
		Edit        workspaceEdit `json:"edit"`
	}
	// workspaceEdit has one of the two.
	workspaceEdit struct {
		Changes         map[string][]textEdit `json:"changes,omitempty"`
		DocumentChanges []any                 `json:"documentChanges,omitempty"` // createFile, documentEdit
	}
	documentEdit struct {
		TextDocument optionalVersion `json:"textDocument"`
		Edits        []textEdit      `json:"edits"`
	}
	// optionalVersion has no version where the document isn't this server's.
	optionalVersion struct {
		URI     string `json:"uri"`
		Version *int   `json:"version"`
	}
	createFile struct {
		Kind    string        `json:"kind"` // "create"
		URI     string        `json:"uri"`
		Options createOptions `json:"options"`
	}
	createOptions struct {
		IgnoreIfExists bool `json:"ignoreIfExists"`
	}
	hoverParams struct {
		TextDocument textDocument `json:"textDocument"`
		Position     position     `json:"position"`
	}
	hoverResult struct {
		Contents markup `json:"contents"`
		Range    span   `json:"range"`
	}
	markup struct {
		Kind  string `json:"kind"`
		Value string `json:"value"`
	}
)

// add puts the changes of other documents behind these.
func (w *workspaceEdit) add(o workspaceEdit) {
	w.DocumentChanges = append(w.DocumentChanges, o.DocumentChanges...)
	if w.Changes == nil {
		w.Changes = o.Changes
		return
	}
	maps.Copy(w.Changes, o.Changes)
}
