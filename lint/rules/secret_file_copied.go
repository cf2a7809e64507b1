package rules

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// SecretFileCopied finds credentials in the build context that a COPY takes in.
var SecretFileCopied = &lint.Rule{
	Name:     "SecretFileCopied",
	Severity: lint.Error,
	Doc: lint.Doc{
		Title: "COPY takes a file with credentials into the image",
		Why: `Whoever can pull an image can read every file of every layer, also one that a later step deletes. A private key or a
token that was in a pushed image has to be replaced. Leave the file out by .dockerignore, and hand it to the step that
needs it: RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci.

The rule looks into files of the build context that are known to hold credentials (.npmrc, .pypirc, .netrc, keys of SSH,
cloud credentials, .env), with .dockerignore applied, and speaks where one does: a private key, a token in the form of
its issuer, a password that is no placeholder. What it has read is never repeated.`,
		Bad:  lint.Example{Dockerfile: "FROM node:22\nCOPY . /app\n", Files: map[string]string{".npmrc": "//registry.example.com/:_authToken=abcdef0123456789\n"}},
		Good: lint.Example{Dockerfile: "FROM node:22\nCOPY . /app\n", Files: map[string]string{".npmrc": "//registry.example.com/:_authToken=${NPM_TOKEN}\n"}},
	},
	Run: func(p *lint.Pass) error {
		if p.Facts.Files == nil {
			return nil
		}
		for _, in := range p.File.Instructions {
			if excludes(in) {
				continue
			}
			for _, name := range takenIn(p, in) {
				if kind := credentials(p, name); kind != "" {
					p.Report(lint.Diagnostic{Span: in.Span, Message: fmt.Sprintf("%s takes %s into the image, which holds %s", in.Name, name, kind)})
				}
			}
		}
		return nil
	},
}

// secretFiles are names of files that tools keep credentials in.
var secretFiles = []string{
	".npmrc", ".yarnrc.yml", ".pypirc", ".netrc", ".env", ".env.local", ".env.production", "id_rsa", "id_ed25519", "id_ecdsa", ".ssh/id_rsa", ".ssh/id_ed25519",
	".aws/credentials", ".docker/config.json", ".git-credentials", "credentials.json", "service-account.json", ".kube/config", "kubeconfig", "server.key", "private.key", "private.pem", "key.pem",
}

// takenIn are the files of the context, among those that may hold credentials,
// that an instruction copies.
func takenIn(p *lint.Pass, in *dockerfile.Instruction) []string {
	var names []string
	for _, folder := range copiedFolders(in) {
		info, err := fs.Stat(p.Facts.Files, folder)
		if err != nil {
			continue
		}
		if !info.IsDir() {
			for _, name := range secretFiles {
				if path.Base(folder) == path.Base(name) {
					names = append(names, folder)
					break
				}
			}
			continue
		}
		for _, name := range secretFiles {
			if inContext(p, path.Join(folder, name)) {
				names = append(names, path.Join(folder, name))
			}
		}
	}
	return names
}

var (
	authToken = regexp.MustCompile(`(?im)(_authToken|_password|_auth|npmAuthToken|"auth"|"private_key"|"refresh_token"|^\s*password|aws_secret_access_key)"?[ \t]*[=:][ \t]*"?([^\s"]+)`)
	variables = regexp.MustCompile(`(?m)^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*?)[ \t\r]*$`)
)

// maxSecretFile bounds how much of a file is read, in bytes.
const maxSecretFile = 64 << 10

// credentials says what a file of the context holds; "" for nothing that is
// certain.
func credentials(p *lint.Pass, name string) string {
	f, err := p.Facts.Files.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile))
	if err != nil {
		return ""
	}
	text := string(data)
	if kind := tokenKind(text); kind != "" {
		return kind
	}
	if !strings.HasPrefix(path.Base(name), ".env") {
		if found := authToken.FindStringSubmatch(text); found != nil && !placeholder("", found[2]) {
			return "a credential (" + strings.Trim(strings.TrimSpace(found[1]), `"`) + ")"
		}
		return ""
	}
	for _, v := range variables.FindAllStringSubmatch(text, -1) {
		if value := unquote(v[2]); secretName(v[1]) && !placeholder(v[1], value) && len(value) >= 8 {
			return "a value for " + v[1]
		}
	}
	return ""
}
