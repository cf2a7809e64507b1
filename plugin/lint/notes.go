package lint

import (
	"fmt"
	"maps"
	"slices"

	engine "github.com/imgmgr/imgmgr/lint"
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
	if p.opts.Registry != nil {
		down := p.opts.Registry.Unreachable()
		for _, host := range slices.Sorted(maps.Keys(down)) {
			note("registry %s could not be reached, so what depends on its images is left alone: %v", host, down[host])
		}
	} else if p.opts.Verbose {
		note("base images were not looked up, so what depends on them is left alone; --online looks them up")
	}
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

// andMore names the first of several.
func andMore(names []string) string {
	if n := len(names) - 1; n > 0 {
		return fmt.Sprintf("%s and %d more", names[0], n)
	}
	return names[0]
}
