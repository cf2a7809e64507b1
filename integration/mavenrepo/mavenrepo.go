//go:build linux

// Package mavenrepo is a repository of Maven on loopback, in the place of Maven
// Central, for tests that build with a real mvn. It offers what Debian packages
// of Maven's own plugins, with the versions that mvn asks for where a project
// names none.
package mavenrepo

import (
	"context"
	"crypto/sha1"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/imgmgr/imgmgr/integration/pack"
)

// packages are those that "mvn package" takes something of: the plugins for
// resources, the compiler, surefire and jar, and what they are made of.
var packages = []string{
	"junit5", "libaopalliance-java", "libapache-pom-java", "libasm-java", "libatinject-jsr330-api-java", "libcdi-api-java", "libcommons-compress-java",
	"libcommons-io-java", "libcommons-lang3-java", "libcommons-parent-java", "liberror-prone-java", "libgeronimo-interceptor-3.0-spec-java", "libguava-java",
	"libguice-java", "libjsr305-java", "libmaven-archiver-java", "libmaven-common-artifact-filters-java", "libmaven-compiler-plugin-java",
	"libmaven-file-management-java", "libmaven-filtering-java", "libmaven-install-plugin-java", "libmaven-jar-plugin-java", "libmaven-parent-java",
	"libmaven-plugin-tools-java", "libmaven-resolver-java", "libmaven-resources-plugin-java", "libmaven-shared-incremental-java", "libmaven-shared-io-java",
	"libmaven-shared-utils-java", "libmaven3-core-java", "libplexus-archiver-java", "libplexus-build-api-java", "libplexus-cipher-java",
	"libplexus-classworlds-java", "libplexus-compiler-java", "libplexus-component-annotations-java", "libplexus-interpolation-java", "libplexus-io-java",
	"libplexus-languages-java", "libplexus-sec-dispatcher-java", "libplexus-utils2-java", "libqdox2-java", "libsisu-inject-java", "libsisu-plexus-java",
	"libslf4j-java", "libsnappy-java", "libsurefire-java", "libwagon-provider-api-java", "libxz-java",
}

// Repository is a running repository.
type Repository struct {
	URL string

	server *httptest.Server
	dir    string
}

// Start makes a repository of Debian's packages. Who starts it closes it.
func Start(ctx context.Context) (*Repository, error) {
	dir, err := os.MkdirTemp("", "maven")
	if err != nil {
		return nil, err
	}
	if err := pack.Debian(ctx, dir, packages...); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("make a Maven repository of Debian's packages: %w", err)
	}
	r := &Repository{dir: dir}
	r.server = httptest.NewServer(http.HandlerFunc(r.answer))
	r.URL = r.server.URL
	return r, nil
}

// Close stops the server.
func (r *Repository) Close() {
	r.server.Close()
	os.RemoveAll(r.dir)
}

// answer serves a file, or the hash of one.
func (r *Repository) answer(w http.ResponseWriter, req *http.Request) {
	name, hashed := strings.CutSuffix(path.Clean("/"+req.URL.Path), ".sha1")
	content, err := os.ReadFile(r.find("/usr/share/maven-repo" + name))
	if err != nil {
		http.NotFound(w, req)
		return
	}
	if hashed {
		content = fmt.Appendf(nil, "%x", sha1.Sum(content))
	}
	w.Write(content)
}

// find follows links as they are meant in an installed system.
func (r *Repository) find(name string) string {
	for range 5 {
		target, err := os.Readlink(filepath.Join(r.dir, name))
		if err != nil {
			break
		}
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(name), target)
		}
		name = target
	}
	return filepath.Join(r.dir, name)
}
