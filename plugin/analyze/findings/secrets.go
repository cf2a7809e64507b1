package findings

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/imgmgr/imgmgr/plugin/analyze/report"
	"github.com/imgmgr/imgmgr/plugin/image"
)

// secretKind is a kind of secret, told by its content and not by a file's name.
type secretKind struct {
	name string
	// mark is in every such secret: looking for it is quick.
	mark string
	// find returns where in a text with the mark a secret begins, -1 for nowhere.
	find func(text []byte) int
}

var secretKinds = [...]secretKind{
	{"private key", "PRIVATE KEY-----", privateKey},
	{"AWS access key with its secret", "AKIA", awsKey},
	token("GitHub token", "ghp_", `[A-Za-z0-9]{36}\b`),
	token("GitHub token", "gho_", `[A-Za-z0-9]{36}\b`),
	token("GitHub token", "ghs_", `[A-Za-z0-9]{36}\b`),
	token("GitHub token", "ghu_", `[A-Za-z0-9]{36}\b`),
	token("GitHub token", "github_pat_", `[A-Za-z0-9_]{82}\b`),
	token("GitLab token", "glpat-", `[A-Za-z0-9_-]{20}\b`),
	token("npm token", "npm_", `[A-Za-z0-9]{36}\b`),
	token("npm token", "_authToken=", `[A-Za-z0-9-]{20,}`),
	token("PyPI token", "pypi-AgEI", `[A-Za-z0-9_-]{50,}`),
	token("Slack token", "xoxa-", `\d{6,}-[A-Za-z0-9-]{10,}`),
	token("Slack token", "xoxb-", `\d{6,}-[A-Za-z0-9-]{10,}`),
	token("Slack token", "xoxp-", `\d{6,}-[A-Za-z0-9-]{10,}`),
	token("Slack token", "xoxr-", `\d{6,}-[A-Za-z0-9-]{10,}`),
	token("Slack token", "xoxs-", `\d{6,}-[A-Za-z0-9-]{10,}`),
	token("Stripe key", "sk_live_", `[A-Za-z0-9]{24,}\b`),
	token("Google API key", "AIza", `[A-Za-z0-9_-]{35}\b`),
	{"registry login", `"auths"`, registryLogin},
}

// anchor is a byte that few texts have often, and the marks that have it. To look for
// these, and around them for marks, takes a fourth of what it takes to look for
// every mark.
type anchor struct {
	char  byte
	marks []anchored
}

// anchored is the mark of a kind of secret, and where in it the anchor is.
type anchored struct{ kind, at int }

// anchors have every mark once.
var anchors = anchorMarks("_-\"A")

func anchorMarks(chars string) []anchor {
	out := make([]anchor, len(chars))
	for i, k := range secretKinds {
		c := strings.IndexFunc(chars, func(r rune) bool { return strings.ContainsRune(k.mark, r) })
		out[c].char = chars[c]
		out[c].marks = append(out[c].marks, anchored{i, strings.IndexByte(k.mark, chars[c])})
	}
	return out
}

// marks tells which kinds of secrets have their mark in a text.
func marks(text []byte) [len(secretKinds)]bool {
	var out [len(secretKinds)]bool
	for _, a := range anchors {
		for from := 0; ; from++ {
			i := bytes.IndexByte(text[from:], a.char)
			if i < 0 {
				break
			}
			from += i
			for _, m := range a.marks {
				if mark := secretKinds[m.kind].mark; from >= m.at && bytes.HasPrefix(text[from-m.at:], []byte(mark)) {
					out[m.kind] = true
				}
			}
		}
	}
	return out
}

// token is a secret that begins with its mark. What follows is matched at the
// marks only: a regular expression over whole texts costs more than inflating
// them.
func token(name, mark, rest string) secretKind {
	follows := regexp.MustCompile("^" + rest)
	return secretKind{name, mark, func(text []byte) int {
		for from := 0; ; {
			i := bytes.Index(text[from:], []byte(mark))
			if i < 0 {
				return -1
			}
			at := from + i
			from = at + len(mark)
			if (at == 0 || !letter(text[at-1])) && follows.Match(text[from:]) {
				return at
			}
		}
	}}
}

// letter is a byte that a token could go on with.
func letter(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// privateKey finds a PEM block that decodes: documents and sources name the
// header only.
func privateKey(text []byte) int {
	rest := text
	for {
		i := bytes.Index(rest, []byte("-----BEGIN "))
		if i < 0 {
			return -1
		}
		rest = rest[i:]
		if block, _ := pem.Decode(rest); block != nil && strings.HasSuffix(block.Type, "PRIVATE KEY") && len(block.Bytes) >= 32 {
			return len(text) - len(rest)
		}
		rest = rest[len("-----BEGIN "):]
	}
}

var (
	awsID     = regexp.MustCompile(`\bAKIA[A-Z2-7]{16}\b`)
	awsSecret = regexp.MustCompile(`(?i)secret.{0,30}["'=:\s]([A-Za-z0-9/+]{40})\b`)
)

// awsKey finds an access key whose secret is in the same file. The ID alone
// opens nothing, and Amazon's own examples say so.
func awsKey(text []byte) int {
	at := awsID.FindIndex(text)
	secret := awsSecret.FindSubmatch(text)
	if at == nil || secret == nil || bytes.Contains(text[at[0]:at[1]], []byte("EXAMPLE")) || bytes.Contains(secret[1], []byte("EXAMPLE")) {
		return -1
	}
	return at[0]
}

// registryLogin finds a login that `docker login` left.
func registryLogin(text []byte) int {
	var config struct {
		Auths map[string]struct{ Auth string }
	}
	if json.Unmarshal(text, &config) != nil {
		return -1
	}
	for _, login := range config.Auths {
		if plain, err := base64.StdEncoding.DecodeString(login.Auth); err == nil && bytes.Contains(plain, []byte(":")) {
			return max(0, bytes.Index(text, []byte(login.Auth)))
		}
	}
	return -1
}

// secretBytes is the longest file in which secrets are looked for.
const secretBytes = 1 << 20

// leak is a secret in a file.
type leak struct {
	Kind   string
	Offset int // in the file
}

// secretVisitor looks for secrets in all texts, those that are buried too.
var secretVisitor = image.Visitor{
	Name:  "secrets/2",
	Wants: func(f *image.File) bool { return f.Size >= 16 && f.Size <= secretBytes && !known(f.Path) },
	Read: func(f *image.File, content io.Reader) ([]byte, error) {
		text, err := image.Text(f, content)
		if err != nil || text == nil {
			return nil, err
		}
		var leaks []leak
		marked := marks(text)
		for i, k := range secretKinds {
			if !marked[i] {
				continue
			}
			if at := k.find(text); at >= 0 {
				leaks = append(leaks, leak{k.name, at})
			}
		}
		if leaks == nil {
			return nil, nil
		}
		return json.Marshal(leaks)
	},
}

// publicKeys are folders with keys that everybody has: of tests, of examples, and of
// Go's own sources.
var publicKeys = regexp.MustCompile(`(^|/)(testdata|tests?|examples?|fixtures)/|^usr/share/(doc|perl)/|^usr/(local/go|lib/go-[^/]+)/src/`)

func known(name string) bool {
	// Most names have none of these, and the expression takes longer.
	maybe := strings.Contains(name, "test") || strings.Contains(name, "example") || strings.Contains(name, "fixtures") || strings.HasPrefix(name, "usr/")
	return maybe && publicKeys.MatchString(name)
}

// secrets reports what the visitor found. A file that a later layer deletes is
// still in its layer.
func secrets(e *Evidence) []report.Finding {
	var out []report.Finding
	for i, l := range e.Image.Layers {
		for _, note := range l.Notes[secretVisitor.Name] {
			var leaks []leak
			if json.Unmarshal(note.Data, &leaks) != nil {
				continue // from a damaged cache
			}
			file, fate := &l.Files[note.File], e.Stacked.Fates[i][note.File]
			for _, found := range leaks {
				f := report.Finding{Kind: "secret", Severity: report.Severe, Layer: i, Paths: []string{file.Path}, Files: 1, Bytes: file.Size}
				f.Message = fmt.Sprintf("/%s holds a %s at byte %d; %s ships it", file.Path, found.Kind, found.Offset, e.place(i))
				if fate.State != image.Live {
					f.Message += fmt.Sprintf(". %s takes it out of sight, but it can be recovered from the layer, at byte %d of its tar", e.place(int(fate.Layer)), file.Offset+int64(found.Offset))
				}
				f.Remedy = "Take it for known: replace it. In the build, use RUN --mount=type=secret"
				if i < e.Base {
					f.Severity = report.Warning
				}
				out = append(out, f)
			}
		}
	}
	return out
}
