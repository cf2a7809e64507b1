package ecosystem

import (
	"path"
	"regexp"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// bundler is Ruby's package manager with RubyGems below it, by bundler.io's
// manual pages (bundle-install, bundle-config, gemfile) and guides.rubygems.org.
func bundler() *Tool {
	return &Tool{Name: "bundler", Match: matchBundler, Caches: bundlerCaches, Manifests: bundlerManifests, Habits: bundlerHabits, Example: Example{
		Base: "ruby:3.4",
		Env:  []string{"GEM_HOME=/usr/local/bundle"},
		Files: map[string]string{
			"Gemfile":      "source \"https://rubygems.org\"\n",
			"Gemfile.lock": "",
		},
		Commands: []string{
			"bundle install",
		},
	}}
}

// bundlerValued are the options whose value is the next word (bundle install
// --help, gem install --help).
var bundlerValued = [...]string{
	"--gemfile", "--path", "--binstubs", "--shebang", "--standalone", "--system-path", "--trust-policy", "--with", "--without", "--jobs", "-j", "--retry", "-r", "--redownload-from",
	"-v", "--version", "-i", "--install-dir", "-n", "--bindir", "-P", "--platform", "-s", "--source", "-g", "--file", "--cache-dir",
}

func matchBundler(c *shell.Command) *Use {
	name := c.Name()
	if name != "bundle" && name != "bundler" && name != "gem" {
		return nil
	}
	l := parseLine(c, bundlerValued[:]...)
	u := &Use{options: l, Title: strings.TrimSpace(name + " " + l.operand(0)), Dir: "."}
	switch verb := l.operand(0); {
	case name == "gem" && (verb == "install" || verb == "i" || verb == "update"):
		u.Kind = Fetch
		if l.on("--local", "-l") {
			u.Kind = Offline
		}
	case name == "gem" && (verb == "cleanup" || verb == "sources"):
	case name == "gem" && (verb == "environment" || verb == "env"):
		u.Kind = Locate
	case name == "gem":
	case verb == "" || verb == "install" || verb == "i":
		u.Kind, u.Title = Fetch, "bundle install"
		if l.on("--local", "--prefer-local") {
			u.Kind = Offline
		}
		u.Installs = len(l.operands) <= 1
		if !l.on("--deployment", "--frozen") {
			u.Doubt = "bundle install may write Gemfile.lock where it isn't frozen"
		}
	case verb == "update" || verb == "add" || verb == "lock" || verb == "cache" || verb == "package":
		u.Kind = Fetch
	case verb == "config":
		u.Kind = Locate
	case verb == "clean":
		u.Kind = Clean
	}
	if l.on("--help", "-h") || len(l.operands) == 0 && l.on("-v", "--version") {
		u.Kind, u.Installs, u.Title = 0, false, name
	}
	return u
}

// bundlerCaches: GEM_HOME is where gems are installed, and so is the output.
// Its folder cache holds the archives that they were installed from; RubyGems
// and Bundler take an archive from there by its name alone, and Bundler checks
// it only where the lock file has checksums (bundle-lock, --add-checksums). So
// the mount is offered.
func bundlerCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	c := Cache{
		Name: "packages", Costs: "downloads every gem again", ID: "imgmgr-gems", PerBase: true, Locked: true, Fetched: true,
		Doubt: "a gem in the cache is taken by its name, without a check of what it holds",
	}
	const def = "/usr/local/bundle" // ENV GEM_HOME in the official image
	if _, set, _ := e.get("GEM_HOME"); !set && repository(e.Base) != "ruby" {
		return nil // RubyGems' default has Ruby's version in it
	}
	dir, guess := e.folder("GEM_HOME", def, "where RubyGems keeps its gems is not known (GEM_HOME says it)")
	c.Path, c.Guess = path.Join(dir, "cache"), guess
	for _, name := range []string{"--path", "-i", "--install-dir"} {
		if _, ok := u.options.last(name); ok {
			c.Guess = u.Title + " is given " + name
		}
	}
	for _, name := range []string{"BUNDLE_PATH", "BUNDLE_DEPLOYMENT", "BUNDLE_CACHE_PATH", "BUNDLE_GLOBAL_GEM_CACHE"} {
		if v, set, _ := e.get(name); set && v != "" && v != dir || e.Open[name] {
			c.Guess = name + " moves the cache"
		}
	}
	return []Cache{c}
}

var (
	// plainGemfile is how a line of a Gemfile begins that names gems and where
	// they come from.
	plainGemfile = regexp.MustCompile(`^(gem|source|ruby|group|platforms?|git_source|git|github|end|else)\b`)
	// ownGem is a gem of the project (gemfile(5), "PATH", "GEMSPEC").
	ownGem = regexp.MustCompile(`\bpath:|:path\b|^path\b|\bgemspec\b`)
	// readsFiles are words that read files, or may.
	readsFiles = regexp.MustCompile("\\b(eval_gemfile|instance_eval|eval|load|File|Dir|IO|Pathname|plugin)\\b|\\bfile:|\\brequire(_relative)?\\s*\\(?\\s*[\"']|`|%x")
)

// bundlerManifests says what "bundle install" reads: the Gemfile, which is a
// program, and its lock file (gemfile(5); bundle-install(1)).
func bundlerManifests(u *Use, e Env) Manifests {
	m := Manifests{Outputs: []string{"vendor", ".bundle"}}
	if v, _, _ := e.get("BUNDLE_FROZEN"); v != "true" && v != "1" {
		if v, _, _ := e.get("BUNDLE_DEPLOYMENT"); v != "true" && v != "1" {
			m.Doubt = u.Doubt
		}
	}
	if !e.Project.Known() {
		m.Files = []string{"Gemfile", "Gemfile.lock*"}
		m.doubt("the build context is not known")
		return m
	}
	p := e.Project
	if !p.regular("Gemfile") {
		m.Breaks = "the context has no file Gemfile"
		return m
	}
	m.Files = []string{"Gemfile"}
	if !p.regular("Gemfile.lock") {
		m.doubt("the context has no Gemfile.lock")
	} else {
		m.Files = append(m.Files, "Gemfile.lock")
		if lock := string(p.read("Gemfile.lock")); strings.Contains(lock, "\nPATH\n") || strings.HasPrefix(lock, "PATH\n") {
			m.breaks("Gemfile.lock has a package of the project")
		}
	}
	m.gemfile(string(p.read("Gemfile")))
	for _, f := range u.options.flags {
		switch f.name {
		case "--deployment", "--frozen", "--jobs", "-j", "--retry", "-r", "--without", "--with", "--quiet", "--no-cache", "--system", "--clean", "--verbose":
			if !f.known {
				m.doubt("the value of bundle's " + f.name + " is not known")
			}
		default:
			m.doubt("bundle is given " + f.name)
		}
	}
	for _, name := range []string{"BUNDLE_GEMFILE", "RUBYOPT", "RUBYLIB"} {
		if v, set, known := e.get(name); !known {
			m.doubt(e.Why)
		} else if set && v != "" {
			m.doubt(name + " is " + v)
		}
	}
	m.without(p, ".bundle")
	return m
}

// gemfile looks at each line of a Gemfile.
func (m *Manifests) gemfile(source string) {
	for _, text := range strings.Split(source, "\n") {
		text, _, _ = strings.Cut(strings.TrimSpace(text), " #")
		switch {
		case text == "" || text[0] == '#':
		case ownGem.MatchString(text):
			m.breaks("Gemfile names a package of the project: " + text)
		case readsFiles.MatchString(text) || !plainGemfile.MatchString(text):
			m.doubt("Gemfile may read other files: " + text)
		}
	}
}

// bundlerHabits: rubygems.org keeps every version unless it is yanked.
func bundlerHabits(u *Use) Habits {
	if u.Kind&Fetch == 0 || !strings.HasPrefix(u.Title, "gem i") {
		return Habits{}
	}
	h := Habits{Lasting: true, Pin: "NAME:VERSION", Codes: Codes{Pin: "DL3028"}}
	if _, ok := u.options.last("-v", "--version", "-g", "--file"); !ok {
		h.Packages = u.options.packages(1, notEndingIn(".gem"), containing(":"))
	}
	return h
}
