package findings

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// accountFiles list users and groups. In shadow files, the second field is the
// password's hash; in the others, the third is the number.
var accountFiles = map[string]bool{"etc/passwd": true, "etc/group": true, "etc/shadow": true, "etc/gshadow": true}

// identity is a line of such a file; no passwords are kept.
type identity struct {
	Name  string
	ID    string `json:",omitempty"`
	Empty bool   `json:",omitempty"` // may log in without a password
}

var accountVisitor = image.Visitor{
	Name:  "accounts/1",
	Wants: func(f *image.File) bool { return accountFiles[f.Path] && f.Size <= secretBytes },
	Read: func(f *image.File, content io.Reader) ([]byte, error) {
		text, err := io.ReadAll(content)
		if err != nil {
			return nil, err
		}
		var list []identity
		for line := range strings.SplitSeq(string(text), "\n") {
			fields := strings.Split(line, ":")
			if len(fields) < 3 || strings.HasPrefix(line, "#") {
				continue
			}
			a := identity{Name: fields[0]}
			if strings.HasSuffix(f.Path, "shadow") {
				a.Empty = f.Path == "etc/shadow" && fields[1] == ""
			} else {
				a.ID = fields[2]
				a.Empty = f.Path == "etc/passwd" && fields[1] == ""
			}
			list = append(list, a)
		}
		return json.Marshal(list)
	},
}

// identities are what the visitor wrote down; nothing if the cache is damaged.
func identities(note []byte) []identity {
	var list []identity
	if json.Unmarshal(note, &list) != nil {
		return nil
	}
	return list
}

// accounts finds users without a password and numbers that two names share, in
// the files that are live.
func accounts(e *Evidence) []report.Finding {
	var out []report.Finding
	for i, l := range e.Image.Layers {
		for _, note := range l.Notes[accountVisitor.Name] {
			if e.Stacked.Fates[i][note.File].State != image.Live {
				continue
			}
			list := identities(note.Data)
			file := l.Files[note.File].Path
			add := func(kind, severity, message, remedy string) {
				out = append(out, report.Finding{Kind: kind, Severity: severity, Layer: i, Paths: []string{file}, Files: 1, Message: message, Remedy: remedy})
			}
			first := map[string]string{}
			for _, a := range list {
				if a.Empty {
					add("empty-password", report.Severe, fmt.Sprintf("/%s lets %s log in without a password", file, a.Name), "Lock the password: passwd --lock "+a.Name)
				}
				if other, taken := first[a.ID]; taken && a.ID != "" && other != a.Name {
					add("duplicate-id", report.Warning, fmt.Sprintf("/%s gives %s and %s the same number %s: each may do what the other may", file, other, a.Name, a.ID), "Give one of them another number")
				} else {
					first[a.ID] = a.Name
				}
			}
		}
	}
	return out
}
