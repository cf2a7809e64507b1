package prune

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/imgmgr/imgmgr/plugin/ui"
)

// progress is one line on a terminal that says how far a long work is. Where
// there is no terminal, as in CI, it is silent.
type progress struct {
	out  *os.File
	what string

	mu    sync.Mutex
	last  time.Time
	shown bool
}

func newProgress(out ui.Output, what string) *progress {
	p := &progress{what: what}
	if f, ok := out.Writer.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.out = f
	}
	return p
}

func (p *progress) show(done, all int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil || time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last, p.shown = time.Now(), true
	fmt.Fprintf(p.out, "\r\x1b[K%s: %d of %d", p.what, done, all)
}

// end takes the line away.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
