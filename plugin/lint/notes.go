package lint

import (
	"fmt"
	"maps"
	"slices"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/plugin/image/base"
)

// notes says once which facts were missing, and why: those that the user asked
// for, and with Verbose all of them.
func (p *printer) notes() error {
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	if len(p.lost) > 0 && (p.opts.Fix == engine.BuildSafe || p.opts.Verbose) {
		note("the build context of %s isn't known, so what depends on it is left alone; name it with --context", andMore(p.lost))
	}
	if p.opts.ShellCheck != nil {
		if err := p.opts.ShellCheck.Failed(); err != nil {
			note("scripts were not checked by ShellCheck: %v; --shellcheck=none leaves it out", err)
		}
	} else if p.opts.Verbose {
		note("scripts were checked without the program shellcheck, for the most frequent mistakes only")
	}
	p.imageNotes(note)
	if p.opts.History != nil && p.opts.Verbose {
		failed := p.opts.History.Failed()
		if folders := slices.Sorted(maps.Keys(failed)); len(folders) > 0 {
			note("how often the files of %s change isn't known: %v", andMore(folders), failed[folders[0]])
		}
	}
	for _, text := range notes {
		if err := p.failed.Note(text); err != nil {
			return err
		}
	}
	return nil
}

// imageNotes says what isn't known of base images.
func (p *printer) imageNotes(note func(format string, args ...any)) {
	images := p.opts.Images
	if images == nil {
		return
	}
	if down := images.Failed(); images.Reach() == base.Network || p.opts.Verbose {
		for _, who := range slices.Sorted(maps.Keys(down)) {
			note("%s could not be reached, so what depends on its images is left alone: %v", who, down[who])
		}
	}
	if !p.opts.Verbose {
		return
	}
	unknown, unread := images.Unknown(), images.Unread()
	if refs := slices.Sorted(maps.Keys(unknown)); len(refs) > 0 {
		more := ""
		if images.Reach() < base.Network {
			more = "; --online asks registries"
		}
		note("base image %s isn't known, so what depends on it is left alone: %v%s", andMore(refs), oneLine(unknown[refs[0]]), more)
	}
	if refs := slices.Sorted(maps.Keys(unread)); len(refs) > 0 {
		note("the files of base image %s aren't known: %v", andMore(refs), oneLine(unread[refs[0]]))
	}
}

// andMore names the first of several.
func andMore(names []string) string {
	if n := len(names) - 1; n > 0 {
		return fmt.Sprintf("%s and %d more", names[0], n)
	}
	return names[0]
}
