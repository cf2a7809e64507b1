package lsp

import (
	"bytes"
	"fmt"
	"io"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/channel"
)

// cancelled is the protocol's code for a request that the editor took back.
const cancelled jrpc2.Code = -32800

// stream is a channel that says of a cancelled request what the protocol wants:
// jrpc2 has a code of its own for that, which it also gives where no handler has
// been reached yet.
type stream struct{ channel.Channel }

// Send sends one message. The quotes of a key can't stand in a JSON string, so
// that no text is taken for the code.
func (s *stream) Send(message []byte) error {
	code := func(c jrpc2.Code) []byte { return fmt.Appendf(nil, `"code":%d,`, c) }
	return s.Channel.Send(bytes.Replace(message, code(jrpc2.Cancelled), code(cancelled), 1))
}

// nopCloser leaves standard output open, which isn't ours to close.
type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
