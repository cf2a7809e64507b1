package ui

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Progress is one line on a terminal that says how far a long work is. Where
// there is no terminal, as in CI, it is silent.
type Progress struct {
	out  *os.File
	what string

	mu    sync.Mutex
	last  time.Time
	shown bool
}

// NewProgress tells of work in one word or two, as "reading tags".
func NewProgress(out Output, what string) *Progress {
	p := &Progress{what: what}
	if f, ok := out.Writer.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.out = f
	}
	return p
}

// Show says how much is done of what is known so far.
func (p *Progress) Show(done, all int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil || time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last, p.shown = time.Now(), true
	fmt.Fprintf(p.out, "\r\x1b[K%s: %d of %d", p.what, done, all)
}

// End takes the line away.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
