package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/frontend"
)

// Project is a folder that the oracle builds: a Dockerfile, what it copies, and
// oracle.json, which is this type. A new project is a new folder and no code.
type Project struct {
	Name string `json:"-"` // of the folder
	Home string `json:"-"` // its path
	// About says in one sentence what the project is there for.
	About string `json:"about"`
	// Folder is the build context where it isn't the project's own folder;
	// relative to that.
	Folder string `json:"folder,omitempty"`
	// Target and Args are the build's --target and --build-arg. $NAME in an
	// argument is the address of one of the test's own servers.
	Target string            `json:"target,omitempty"`
	Args   map[string]string `json:"args,omitempty"`
	// StandIns are base images that the sandbox doesn't have: a reference, and
	// the Dockerfile that makes an image to take its place, relative to the
	// project's folder.
	StandIns map[string]string `json:"standIns,omitempty"`
	// Edit are texts that are appended to files between a first build and those
	// that are compared. What the first build left in layers and in cache mounts
	// must not show in the second.
	Edit map[string]string `json:"edit,omitempty"`
	// Applied are the rewrites that are made, all of them and in their order,
	// and Left some findings that are not, each as the rule's name, a colon, and
	// words of the fix or of the reason.
	Applied []string `json:"applied"`
	Left    []string `json:"left,omitempty"`
}

// Projects reads the projects, which are all folders of a folder, in the order
// of their names.
func Projects(folder string) ([]Project, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("looking for projects: %w", err)
	}
	var list []Project
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		p, err := readProject(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading the project %s: oracle.json: %w", e.Name(), err)
		}
		list = append(list, p)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("looking for projects: %s has no folders", folder)
	}
	return list, nil
}

func readProject(home string) (Project, error) {
	p := Project{Name: filepath.Base(home), Home: home}
	f, err := os.Open(p.Path("oracle.json"))
	if err != nil {
		return p, err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, err
	}
	if p.About == "" || p.Applied == nil {
		return p, fmt.Errorf("it has to say what it is about, and which rewrites are applied: none is []")
	}
	return p, nil
}

// Path is a path that oracle.json names.
func (p Project) Path(name string) string { return filepath.Join(p.Home, name) }

// BuildArgs are the arguments of a build, with the addresses of the test's own
// servers, for which server is asked, in the place of their $NAMEs.
func (p Project) BuildArgs(server func(string) (string, error)) (map[string]string, error) {
	args := maps.Clone(p.Args)
	var failed error
	for name, value := range args {
		args[name] = os.Expand(value, func(of string) string {
			url, err := server(of)
			failed = errors.Join(failed, err)
			return url
		})
	}
	return args, failed
}

// Update writes oracle.json anew, with the rewrites of a plan as those that are
// expected.
func (p *Project) Update(e frontend.Explanation) error {
	p.Applied = []string{}
	for _, a := range e.Applied {
		p.Applied = append(p.Applied, a.Rule+": "+a.Fix)
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(p); err != nil {
		return err
	}
	return os.WriteFile(p.Path("oracle.json"), text.Bytes(), 0o644)
}

// Unexpected lists where the frontend's plan is not the one that the project
// asks for.
func (p Project) Unexpected(e frontend.Explanation) []string {
	var list []string
	for i := range max(len(p.Applied), len(e.Applied)) {
		switch {
		case i >= len(e.Applied):
			list = append(list, "not applied: "+p.Applied[i])
		case i >= len(p.Applied) || !says(p.Applied[i], e.Applied[i].Rule, e.Applied[i].Fix):
			list = append(list, fmt.Sprintf("applied: %s: %s (because %s)", e.Applied[i].Rule, e.Applied[i].Fix, e.Applied[i].Why))
		}
	}
	for _, want := range p.Left {
		if len(p.left(e, want)) == 0 {
			list = append(list, "not left: "+want)
		}
	}
	if len(list) > 0 {
		for _, l := range e.Left {
			list = append(list, fmt.Sprintf("left: %s: %s (doubt: %s)", l.Rule, l.Message, l.Doubt))
		}
	}
	return list
}

// left are the findings that an expectation is about.
func (p Project) left(e frontend.Explanation, want string) []frontend.LeftFinding {
	return slices.DeleteFunc(slices.Clone(e.Left), func(l frontend.LeftFinding) bool {
		return !says(want, l.Rule, l.Message+"\n"+l.Doubt)
	})
}

// says tells whether an expectation is met by a rule's words.
func says(want, rule, words string) bool {
	name, text, _ := strings.Cut(want, ": ")
	return name == rule && strings.Contains(words, text)
}

// AllowedBy is what the fixes of a plan declare that they change.
func AllowedBy(e frontend.Explanation) Allowed {
	var allowed Allowed
	for _, a := range e.Applied {
		allowed.Drops = append(allowed.Drops, a.Drops...)
		allowed.Reorders = allowed.Reorders || a.Reorders
		allowed.Rewords += a.Rewords
	}
	return allowed
}
