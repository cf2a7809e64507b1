package ecosystem

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/imgmgr/imgmgr/lint/shell"
)

// bundler is Ruby's package manager with RubyGems below it, by bundler.io's
// manual pages (bundle-install, bundle-config, gemfile) and guides.rubygems.org.
func bundler() *Tool {
	return &Tool{Name: "bundler", Proven: true, Match: matchBundler, Caches: bundlerCaches, Manifests: bundlerManifests, Habits: bundlerHabits, Example: Example{
		Base: "ruby:3.4",
		Env:  []string{"GEM_HOME=/usr/local/bundle"},
		Files: map[string]string{
			"Gemfile":      "source \"https://rubygems.org\"\n",
			"Gemfile.lock": "GEM\n  remote: https://rubygems.org/\n  specs:\n    rack (3.2.0)\n",
		},
		Commands: []string{
			"bundle install",
			"gem install rails",
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
	case verb == "config" && !spareSetting(l):
		u.Kind = Locate
	case verb == "clean":
		u.Kind = Clean
	}
	if l.on("--help", "-h") || len(l.operands) == 0 && l.on("-v", "--version") {
		u.Kind, u.Installs, u.Title = 0, false, name
	}
	return u
}

// spareSetting reports a "bundle config" that reads a setting, or sets one that
// has nothing to do with where gems come from, nor with where they lie
// (bundle-config).
func spareSetting(l line) bool {
	switch key := l.operand(1); key {
	case "get", "list", "":
		return true
	case "set", "unset":
		l.operands = l.operands[1:]
	}
	key := l.operand(1)
	return strings.HasPrefix(key, "build.") || slices.Contains([]string{
		"without", "with", "only", "frozen", "jobs", "retry", "timeout", "clean", "force_ruby_platform", "silence_root_warning", "silence_deprecations",
	}, key)
}

// bundlerCaches: GEM_HOME is where gems are installed, and so is the output.
// Its folder cache holds the archives that they were installed from, which are
// the same for every base image. RubyGems and Bundler take an archive from there
// by its name. RubyGems asks nothing more of it. Bundler compares it with the
// hash that the index gives, or the lock file from 2.5 on, and stops where they
// differ (source/rubygems.rb, rubygems_gem_installer.rb, checksum.rb; tried with
// 2.3.15 and 2.6.7: a gem of another content, and one that was cut off, end the
// build, and neither is installed). Which versions are installed doesn't rest on
// the folder. An archive is written in place: hence Locked.
func bundlerCaches(u *Use, e Env) []Cache {
	if u.Kind&Fetch == 0 {
		return nil
	}
	c := Cache{Name: "packages", Costs: "downloads every gem again", ID: "imgmgr-gems", Locked: true, Fetched: true, Settable: true}
	if _, set, _ := e.get("GEM_HOME"); !set && repository(e.Base) != "ruby" {
		// RubyGems' default has Ruby's version in it.
		return []Cache{{Useless: "where RubyGems keeps its gems is not known (GEM_HOME says it)"}}
	}
	c.gemFolder(u, e)
	if u.Title != "bundle install" {
		c.Doubt = u.Title + " takes a gem from the cache by its name, without a check of what it holds"
	} else {
		c.gemsChecked(u, e)
	}
	return []Cache{c}
}

// gemFolder is the folder cache in GEM_HOME or in a folder of Ruby's version in
// BUNDLE_PATH (bundle-config, "path"; Bundler's settings.rb, Path).
func (c *Cache) gemFolder(u *Use, e Env) {
	const def = "/usr/local/bundle" // ENV GEM_HOME in the official image
	dir, guess := e.folder("GEM_HOME", def, "where RubyGems keeps its gems is not known (GEM_HOME says it)")
	names := []string{"BUNDLE_DEPLOYMENT", "BUNDLE_CACHE_PATH", "BUNDLE_GLOBAL_GEM_CACHE", "BUNDLE_PATH__SYSTEM", "BUNDLE_SIMULATE_VERSION"}
	if v, set, known := e.get("BUNDLE_PATH"); strings.HasPrefix(u.Title, "bundle") && (set && v != "" || !known && e.Open["BUNDLE_PATH"]) {
		dir, guess = e.folder("BUNDLE_PATH", def, "")
		// ENV RUBY_VERSION in the official image; libraries of 3.4.1 lie below 3.4.0.
		ruby, _, _ := e.get("RUBY_VERSION")
		if v := strings.SplitN(ruby, ".", 3); len(v) == 3 {
			dir = path.Join(dir, "ruby", v[0]+"."+v[1]+".0")
		} else if guess == "" {
			guess = "the version of Ruby, which is part of the path below BUNDLE_PATH, is not known"
		}
		names = names[1:]
	}
	c.Path, c.Guess = path.Join(dir, "cache"), guess
	for _, name := range []string{"--path", "-i", "--install-dir"} {
		if _, ok := u.options.last(name); ok {
			c.Guess = u.Title + " is given " + name
		}
	}
	if u.options.on("--deployment") && len(names) == 5 {
		c.Guess = u.Title + " is given --deployment"
	}
	for _, name := range names {
		if v, set, _ := e.get(name); set && v != "" && v != "false" || e.Open[name] {
			c.Guess = name + " moves the cache"
		}
	}
	if p := e.Project.in(u.Dir); p.Known() && p.holds("vendor/cache") {
		c.Useless = "Bundler takes gems from vendor/cache"
	}
}

// indexedWhole is how many gems make a Bundler before 4 download the whole
// index, which has no hashes (source/rubygems.rb, API_REQUEST_LIMIT).
const indexedWhole = 500

// gemsChecked holds that Bundler compares every gem with a hash. Another server
// than rubygems.org need not give hashes, and may have another gem of the same
// name: it has a cache of its own.
func (c *Cache) gemsChecked(u *Use, e Env) {
	if repository(e.Base) != "ruby" {
		c.Doubt = "the base image may bring settings of Bundler"
		return
	}
	p := e.Project.in(u.Dir)
	if !p.Known() || !p.regular("Gemfile.lock") {
		c.Doubt = "which servers the gems come from is not known without Gemfile.lock"
		return
	}
	lock := readGemLock(string(p.read("Gemfile.lock")))
	locked := lock.hashed()
	others := slices.DeleteFunc(slices.Clone(lock.remotes), func(r string) bool { return strings.TrimSuffix(r, "/") == "https://rubygems.org" })
	switch {
	case len(lock.gems) == 0:
		c.Doubt = "Gemfile.lock names no gems"
	case lock.clones:
		c.Doubt = "Gemfile.lock has a gem from a repository, whose clone in the cache is copied into the image"
	case locked:
	case len(others) > 0:
		c.Doubt = "Gemfile.lock has no hashes (bundle lock --add-checksums), and " + others[0] + " may give none"
	case len(lock.gems) >= indexedWhole:
		c.Doubt = "Gemfile.lock has no hashes (bundle lock --add-checksums), and Bundler asks for none where there are so many gems"
	}
	if len(others) > 0 {
		c.Project = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' {
				return r
			}
			return '-'
		}, strings.Join(others, "-"))
	}
	for _, name := range []string{"BUNDLE_DISABLE_CHECKSUM_VALIDATION", "BUNDLE_GEMFILE", "BUNDLE_LOCKFILE", "RUBYOPT"} {
		if v, set, _ := e.get(name); set && v != "" && v != "false" || e.Open[name] {
			c.Doubt = name + " is set"
		}
	}
	for _, name := range append(slices.Sorted(maps.Keys(e.Vars)), slices.Sorted(maps.Keys(e.Open))...) {
		if strings.HasPrefix(name, "BUNDLE_MIRROR__") && !locked {
			c.Doubt = name + " is set, and the mirror may give no hashes"
		}
	}
	if _, ok := u.options.last("--gemfile"); ok {
		c.Doubt = "bundle install is given --gemfile"
	}
	if p.holds(".bundle") {
		c.Doubt = "the context has .bundle, which may have settings of Bundler"
	}
}

// gemLock is what matters of Gemfile.lock.
type gemLock struct {
	remotes []string        // of the servers
	gems    map[string]bool // "name (version)" of those from servers; true with a hash
	clones  bool            // there are gems from repositories, or from what a plugin knows
	bundler string          // the version that has written it
}

// readGemLock reads a lock file (Bundler's lockfile_parser.rb).
func readGemLock(text string) gemLock {
	l := gemLock{gems: map[string]bool{}}
	section := ""
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, " \r")
		word := strings.TrimLeft(line, " ")
		switch indent := len(line) - len(word); {
		case word == "":
		case indent == 0:
			section = word
			l.clones = l.clones || section == "GIT" || section == "PLUGIN SOURCE"
		case section == "GEM" && indent == 2 && strings.HasPrefix(word, "remote:"):
			l.remotes = append(l.remotes, strings.TrimSpace(strings.TrimPrefix(word, "remote:")))
		case section == "GEM" && indent == 4:
			l.gems[word] = l.gems[word]
		case section == "CHECKSUMS":
			gem, hash, _ := strings.Cut(word, ") ")
			if _, listed := l.gems[gem+")"]; listed {
				l.gems[gem+")"] = strings.HasPrefix(hash, "sha256=")
			}
		case section == "BUNDLED WITH":
			l.bundler = word
		}
	}
	return l
}

// hashed reports that the lock file has the hash of each gem, and is read by a
// Bundler that heeds them: a Bundler of 2.3 or later hands over to the one that
// has written the lock file.
func (l gemLock) hashed() bool {
	for _, hash := range l.gems {
		if !hash {
			return false
		}
	}
	major, rest, _ := strings.Cut(l.bundler, ".")
	return len(l.gems) > 0 && (len(major) == 1 && major > "2" || major == "2" && rest >= "5")
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
	m := Manifests{Outputs: []string{"vendor", ".bundle"}, Elsewhere: true}
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
