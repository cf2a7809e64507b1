package imgmgr_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/imgmgr/imgmgr"

// floors is the house, floor by floor: what a folder may import of this module.
// In may, "0–2" is everything on these floors of lint; "lint/**" a folder with
// all below it; "*" one path element. A file may always import its own folder.
var floors = []storey{
	{0, "lint/edit", ""},
	{0, "lint/facts", ""},
	{0, "lint/rpmdb", ""},
	{1, "lint/shell", "lint/edit"},
	{1, "lint/dockerfile", "lint/edit lint/shell"},
	{1, "lint/makefile", ""},
	{1, "lint/buildkit", "lint/facts"},
	{2, "lint/ecosystem", "0–1"},
	{2, "lint/effect", "0–2"},
	{3, "lint", "0–2"},
	{4, "lint/rules", "0–3"},
	{4, "lint/config", "lint"},
	{0, "lint/report/sarif", ""},
	{4, "lint/report", "lint lint/edit lint/report/sarif"},
	{4, "lint/linttest", "0–3 lint/config"},

	{0, "plugin/image", ""},
	{1, "plugin/image/imagetest", "plugin/image"},
	{2, "plugin/image/engine", "plugin/image plugin/image/archive"}, // an engine hands out archives
	{3, "plugin/image/source", "plugin/image/**"},
	{3, "plugin/image/base", "plugin/image/** lint/facts"}, // lint/facts for what a base image is to a rule
	{1, "plugin/image/*", "plugin/image"},

	{0, "plugin/distribution", ""},
	{1, "plugin/prune/retention", ""},
	{1, "plugin/prune/manifest", "plugin/prune/retention plugin/distribution"},
	{2, "plugin/prune/*", "plugin/prune/retention plugin/prune/manifest plugin/distribution plugin/image plugin/image/**"},

	{0, "plugin/buildx", ""},
	{0, "plugin/folders", ""},
	{5, "plugin/ui", ""},
	{7, "plugin/plugintest", "plugin"},
	{5, "plugin/analyze/report", ""},
	{5, "plugin/analyze/packages", "lint/rpmdb plugin/analyze/report plugin/image"},
	{5, "plugin/analyze/tree", "plugin/image"},
	{5, "plugin/analyze/prove", "lint/** plugin/analyze/compare plugin/analyze/report plugin/buildx plugin/image plugin/image/archive"},
	{5, "plugin/analyze/*", "plugin/analyze/report plugin/analyze/cost plugin/analyze/tree plugin/image plugin/ui lint/dockerfile lint/report/sarif"},
	{5, "plugin/analyze", "lint/** plugin/analyze/* plugin/buildx plugin/distribution plugin/folders plugin/image/** plugin/lint plugin/ui"}, // --prove makes the fixes that lint makes
	{5, "plugin/prune", "plugin/prune/* plugin/folders plugin/image/** plugin/ui"},
	{5, "plugin/lsp", "lint/** plugin/image/base plugin/lint plugin/ui"}, // the same lint, in an editor
	{5, "plugin/registry/catalog", "plugin/prune/retention"},
	{5, "plugin/registry/table", "plugin/ui"},
	{5, "plugin/registry/connect", "plugin/distribution plugin/folders plugin/prune/registry plugin/prune/retention plugin/ui"},
	{5, "plugin/registry/*", "plugin/distribution plugin/prune plugin/prune/* plugin/registry/catalog plugin/registry/table plugin/registry/connect plugin/ui"},
	{5, "plugin/registry", "plugin/registry/* plugin/ui plugin/image/imagetest"},
	{5, "plugin/sbom", "plugin/buildx plugin/image/** plugin/ui"},
	{5, "plugin/*", "lint/** plugin/folders plugin/image/** plugin/ui"},
	{0, "frontend/trail", ""},
	{5, "frontend", "lint/** frontend/trail"},
	{5, "frontend/scanner", "frontend/trail"},
	{6, "plugin", "plugin/** lint/rules"}, // lint/rules to hand them to the verbs

	{7, "cmd/docker-imgmgr", "plugin"},
	{7, "frontend/cmd/imgmgr-frontend", "frontend"},
	{7, "frontend/cmd/imgmgr-scanner", "frontend/scanner"},
	{7, "docs/gen", "lint/** plugin plugin/ui plugin/prune/retention plugin/analyze/budget plugin/analyze/report"},

	{8, "integration", "**"},
	{8, "integration/**", "**"},
	{8, "examples/**", "**"},
}

// storey is one folder, or several by a pattern, and its floor.
type storey struct {
	floor  int
	folder string
	may    string
}

// testsMay is what the tests of a folder may import besides.
var testsMay = []struct{ folder, may string }{
	{"lint", "lint/linttest"},
	{"lint/**", "lint/linttest lint/config"},
	{"plugin/*", "lint/** plugin/image/imagetest plugin/plugintest"}, // test scripts run the whole command
	{"plugin/analyze/*", "lint/rules"},                               // a finding names the rule that prevents it
	{"plugin/image/**", "plugin/image/imagetest plugin/image/cache"},
}

// outside are the packages that lint/** keeps away from: a rule sees files,
// images and time through facts alone.
var outside = []string{"os", "os/**", "io/ioutil", "net", "net/http", "net/http/**", "net/rpc", "syscall", "log", "log/**", "runtime/debug", "plugin"}

// impure are functions of packages that are otherwise welcome there.
var impure = map[string][]string{
	"time":          {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
	"fmt":           {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	"path/filepath": {"Abs", "EvalSymlinks", "Glob", "Walk", "WalkDir"},
}

// TestFloors holds every Go file of the module to its floor.
func TestFloors(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules" || otherModule(name)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files++
		for _, complaint := range inspect(t, filepath.ToSlash(name), string(src)) {
			t.Errorf("%s %s", name, complaint)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Errorf("only %d Go files were found: run the test in the module's root", files)
	}
}

// TestFloorsCanFail shows the test above files that are in the wrong place.
func TestFloorsCanFail(t *testing.T) {
	own := func(folder string) string { return fmt.Sprintf("package p\nimport _ %q\n", module+"/"+folder) }
	for _, c := range []struct{ file, src, want string }{
		{"lint/edit/a.go", own("lint/facts"), "may not import lint/facts"},
		{"lint/edit/a_test.go", own("lint/facts"), "may not import lint/facts"},
		{"lint/shell/a.go", own("lint/dockerfile"), "may not import lint/dockerfile"},
		{"lint/ecosystem/a.go", own("lint"), "may not import lint"},
		{"lint/rules/a.go", own("lint/linttest"), "may not import lint/linttest"},
		{"lint/report/a.go", own("lint/dockerfile"), "may not import lint/dockerfile"},
		{"plugin/lint/a.go", own("frontend"), "may not import frontend"},
		{"plugin/lint/a.go", own("plugin/prune"), "may not import plugin/prune"},
		{"plugin/prune/retention/a.go", own("plugin/prune/registry"), "may not import plugin/prune/registry"},
		{"plugin/prune/retention/a.go", "package p\nimport _ \"net/http\"\n", "imports net/http"},
		{"frontend/a.go", own("plugin"), "may not import plugin"},
		{"frontend/a.go", own("plugin/image"), "may not import plugin/image"},
		{"frontend/scanner/a.go", own("frontend"), "may not import frontend"},
		{"lint/edit/a.go", "package p\nimport \"os\"\nvar _ = os.Args\n", "imports os"},
		{"lint/rules/a.go", "package p\nimport _ \"net/http\"\n", "imports net/http"},
		{"lint/a.go", "package p\nimport _ \"os/exec\"\n", "imports os/exec"},
		{"lint/a.go", "package p\nimport clock \"time\"\nvar _ = clock.Now()\n", "calls time.Now"},
		{"lint/facts/a.go", "package p\nimport \"fmt\"\nfunc f() { fmt.Println() }\n", "calls fmt.Println"},
		{"lint/new/a.go", "package p\n", "is in a folder that has no floor"},

		{"lint/edit/a.go", "package p\nimport _ \"net/url\"\n", ""},
		{"lint/edit/a_test.go", "package p\nimport _ \"os\"\n", ""},
		{"lint/linttest/a.go", "package p\nimport _ \"os\"\n", ""},
		{"lint/rules/a_test.go", own("lint/linttest"), ""},
		{"lint/rules/a.go", own("lint"), ""},
		{"lint/edit/a_test.go", own("lint/edit"), ""},
		{"lint/facts/a.go", "package p\nimport \"time\"\nvar _ time.Duration = time.Second\n", ""},
		{"plugin/lint/a.go", own("lint/rules") + fmt.Sprintf("import _ %q\n", module+"/plugin/image/registry"), ""},
		{"frontend/a.go", own("lint/rules"), ""},
	} {
		got := strings.Join(inspect(t, c.file, c.src), "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s with\n%s: got %q, want %q", c.file, c.src, got, c.want)
		}
	}
}

// inspect says what is wrong with a file at a slash-separated path.
func inspect(t *testing.T, name, src string) []string {
	t.Helper()
	folder, test := path.Dir(name), strings.HasSuffix(name, "_test.go")
	if folder == "." {
		return nil // this file
	}
	i := slices.IndexFunc(floors, func(s storey) bool { return matches(s.folder, folder) })
	if i < 0 {
		return []string{"is in a folder that has no floor: put " + folder + " into the table in arch_test.go and into the design"}
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	may := floors[i].may
	pure := (folder == "lint" || strings.HasPrefix(folder, "lint/") || folder == "plugin/prune/retention") && folder != "lint/linttest" && !test
	if test {
		for _, more := range testsMay {
			if matches(more.folder, folder) {
				may += " " + more.may
			}
		}
	}
	var complaints []string
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if own, ok := strings.CutPrefix(imported, module+"/"); ok && own != folder && !allows(may, own) {
			complaints = append(complaints, fmt.Sprintf("is on floor %d and may not import %s, only %s", floors[i].floor, own, or(may, "nothing of ours")))
		}
		if pure && slices.ContainsFunc(outside, func(p string) bool { return matches(p, imported) }) {
			complaints = append(complaints, "imports "+imported+": below floor 5 the outside world is lint/facts")
		}
	}
	if pure {
		complaints = append(complaints, calls(file)...)
	}
	return complaints
}

// calls finds functions of impure in a file.
func calls(file *ast.File) []string {
	names := map[string]string{} // as the file calls the package, to its path
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = imported
	}
	var complaints []string
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(impure[names[x.Name]], sel.Sel.Name) {
				complaints = append(complaints, "calls "+names[x.Name]+"."+sel.Sel.Name+": below floor 5 nothing prints, reads the clock or looks at the disk")
			}
		}
		return true
	})
	return complaints
}

// allows reports that the list of a folder's imports holds another folder.
func allows(may, folder string) bool {
	return slices.ContainsFunc(strings.Fields(may), func(entry string) bool {
		low, high, isRange := strings.Cut(entry, "–")
		if !isRange {
			return matches(entry, folder)
		}
		for _, f := range floors {
			floor := strconv.Itoa(f.floor)
			if f.folder == folder && strings.HasPrefix(folder+"/", "lint/") && low <= floor && floor <= high {
				return true
			}
		}
		return false
	})
}

// matches compares a folder with a pattern: "a/**" is a and all below it, "a/*"
// one element below, "**" everything.
func matches(pattern, folder string) bool {
	if pattern == "**" {
		return true
	}
	if base, ok := strings.CutSuffix(pattern, "/**"); ok {
		return folder == base || strings.HasPrefix(folder, base+"/")
	}
	ok, _ := path.Match(pattern, folder)
	return ok
}

func or(a, b string) string {
	if strings.TrimSpace(a) == "" {
		return b
	}
	return a
}

// otherModule reports that the folder is a module of its own.
func otherModule(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil && folder != "."
}
