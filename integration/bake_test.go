//go:build linux

package integration_test

import (
	"os"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// The example's bake file builds both projects through the frontend, with no
// change in their Dockerfiles.
func TestExampleBakeFile(t *testing.T) {
	t.Setenv("FRONTEND", frontendRef)
	out, err := command(t, "../examples/bake", "buildx", "bake", "--progress=plain", "--allow=fs.read=..")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, step := range []string{"RUN npm ci  [imgmgr: ", "RUN go mod download  [imgmgr: "} {
		if !strings.Contains(out, step) {
			t.Errorf("no step %q:\n%s", step, out)
		}
	}
}

// The plugin and the frontend are callers of the same engine: what the one
// prints, the other builds.
func TestPluginPrintsWhatTheFrontendBuilds(t *testing.T) {
	plugin := t.TempDir() + "/docker-imgmgr"
	if out, err := command(t, "..", "go", "build", "-o", plugin, "./cmd/docker-imgmgr"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"node-api", "go-service"} {
		dir := project(t, name)
		e := explain(t, sandbox.BuildRequest{Context: dir, Frontend: frontendRef})
		args := []string{"lint", "--fix=build", "--fail-on=never", "Dockerfile"}
		if !sb.Hub {
			args = append(args, "--registry-mirror", sb.Registry)
		}
		if out, err := command(t, dir, plugin, args...); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		fixed, err := os.ReadFile(dir + "/Dockerfile")
		if err != nil {
			t.Fatal(err)
		}
		if string(fixed) != e.Dockerfile {
			t.Errorf("%s: the plugin writes\n%s\nand the frontend builds\n%s", name, fixed, e.Dockerfile)
		}
	}
}
