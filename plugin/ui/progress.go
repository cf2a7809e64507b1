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

	width int // of the terminal; 0 if unknown

	mu          sync.Mutex
	first, last time.Time
	shown       bool
	steps       chan string // to the step that is shown; nil before the first
	done        sync.WaitGroup
}

// NewProgress tells of work in one word or two, as "reading tags".
func NewProgress(out Output, what string) *Progress {
	p := &Progress{what: what, width: out.Width}
	if f, ok := out.Writer.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.out = f
	}
	return p
}

// Show says how much is done of what is known so far.
func (p *Progress) Show(done, all int) {
	p.show(func() string { return fmt.Sprintf("%d of %d", done, all) })
}

// ShowBytes says how many bytes are read of how many, and what time that will
// take yet; all is 0 where that isn't known.
func (p *Progress) ShowBytes(done, all int64) {
	p.show(func() string {
		if all <= done {
			return Size(done)
		}
		text := Size(done) + " of " + Size(all)
		spent := time.Since(p.first)
		if left := time.Duration(float64(spent) * float64(all-done) / float64(max(done, 1))); spent > time.Second {
			text += ", " + left.Round(time.Second).String() + " left"
		}
		return text
	})
}

// ShowStep shows what is being done now, and for how long already, until the next step.
func (p *Progress) ShowStep(step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		return
	}
	if p.steps == nil {
		p.steps = make(chan string)
		p.done.Go(func() { p.follow(p.steps) })
	}
	p.steps <- step
}

// follow shows one step after the other until there are no more.
func (p *Progress) follow(steps <-chan string) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	step, ok := <-steps
	for since := time.Now(); ok; {
		text := p.what + step
		if spent := time.Since(since).Round(time.Second); spent > 0 {
			text += ", " + spent.String()
		}
		if p.width > 0 {
			text = Fit(text, p.width-1)
		}
		fmt.Fprintf(p.out, "\r\x1b[K%s", text)
		select {
		case <-second.C:
		case step, ok = <-steps:
			since = time.Now()
		}
	}
	fmt.Fprint(p.out, "\r\x1b[K")
}

func (p *Progress) show(text func() string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil || time.Since(p.last) < 100*time.Millisecond {
		return
	}
	if !p.shown {
		p.first = time.Now()
	}
	p.last, p.shown = time.Now(), true
	fmt.Fprintf(p.out, "\r\x1b[K%s: %s", p.what, text())
}

// End takes the line away.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.steps != nil {
		close(p.steps)
		p.done.Wait()
		p.steps = nil
	}
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
