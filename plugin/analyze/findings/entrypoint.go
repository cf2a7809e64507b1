package findings

import (
	"path"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// entrypoint finds a container that can't start: what it is to run isn't there,
// or can't be executed.
func entrypoint(e *Evidence) []report.Finding {
	c := e.Image.Config.Config
	command := slices.Concat(c.Entrypoint, c.Cmd)
	if len(command) == 0 || command[0] == "" || e.Image.Platform.OS == "windows" {
		return nil
	}
	f := report.Finding{Kind: "entrypoint", Severity: report.Severe, Layer: -1, Paths: []string{command[0]}, Remedy: "Correct ENTRYPOINT or CMD, or copy the program"}
	entry, ok := program(e.Stacked, command[0], c.WorkingDir, c.Env)
	switch {
	case !ok:
		f.Message = command[0] + " isn't in the image, and the container is to start it"
	case entry.Content != nil && entry.Content.Mode&0o111 == 0:
		f.Layer, f.Message, f.Remedy = entry.Layer, "/"+entry.Path+" can't be executed, and the container is to start it", "Make it executable: COPY --chmod=755"
	default:
		return nil
	}
	return []report.Finding{f}
}

// program finds what a command's first word starts, as execvp(3) does.
func program(s *image.Stacked, name, dir string, env []string) (image.Entry, bool) {
	if strings.Contains(name, "/") {
		if !path.IsAbs(name) {
			name = path.Join("/", dir, name)
		}
		return s.Resolve(name)
	}
	search := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" // the container engines' default
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, "PATH="); ok {
			search = value
		}
	}
	for folder := range strings.SplitSeq(search, ":") {
		if entry, ok := s.Resolve(path.Join(folder, name)); ok {
			return entry, true
		}
	}
	return image.Entry{}, false
}
