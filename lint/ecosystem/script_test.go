package ecosystem_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

func TestComposer(t *testing.T) {
	checkFind(t, [][2]string{
		{"composer install --no-dev", "composer install fetch installs"},
		{"php composer.phar install", "composer install fetch installs"},
		{"php /usr/bin/composer.phar require x/y", "composer require fetch"},
		{"composer -d api install", "composer install fetch installs in api?"},
		{"composer global require x/y", "composer require fetch"},
		{"composer global install", "composer install fetch"},
		{"composer install --dry-run", "composer install fetch"},
		{"composer clear-cache", "composer clear-cache clean"},
		{"composer clear-cache --gc", "composer clear-cache"},
		{"composer config cache-dir /x", "composer config locate"},
		{"composer dump-autoload", "composer dump-autoload"},
		{"php artisan install", "none"},
	})
	const guess = " guess(where Composer keeps its cache depends on /etc/xdg (COMPOSER_CACHE_DIR says it))"
	with := func(vars ...string) ecosystem.Env { return in(root(vars...), "composer.json", `{"name": "a/b"}`) }
	dir := func(vars ...string) ecosystem.Env { return with(append(vars, "COMPOSER_CACHE_DIR=/c")...) }
	const name, nameless = " project(a/b)", " doubt(the project's name isn't known, and its cache must not be shared with other projects)"
	unknown := ecosystem.Env{Home: "/root", HomeKnown: true, Why: "WHY", Base: "composer:2", Vars: map[string]string{}}
	checkCaches(t, []cacheCase{
		{"composer install", dir(), "packages /c" + name},
		{"composer install", root("COMPOSER_CACHE_DIR=/c"), "packages /c" + nameless},
		{"composer install", in(root("COMPOSER_CACHE_DIR=/c"), "composer.json", `{}`), "packages /c" + nameless},
		{"composer install", with("COMPOSER_HOME=/h"), "packages /h/cache" + name},
		{"composer install", with(), "packages /root/.composer/cache" + guess + name},
		{"composer install", with("XDG_CACHE_HOME=/x"), "packages /x/composer guess(whether ~/.composer/cache is there is not known)" + name},
		{"composer install", unknown, "packages /tmp/cache guess(WHY)" + nameless},
		{"composer install --no-cache", dir(), "packages /c guess(what Composer does without --no-cache is known only for Composer 2)" + name + " --no-cache->"},
		{"composer install", with("COMPOSER_CACHE_DIR=/dev/null", "COMPOSER_HOME=/h"), "packages /h/cache" + name + " off(COMPOSER_CACHE_DIR is /dev/null)"},
		{"composer install", dir("COMPOSER_CACHE_READ_ONLY=1"), "packages /c useless(COMPOSER_CACHE_READ_ONLY is set)" + name},
		{"composer install", dir("COMPOSER_DISABLE_NETWORK=1"), "packages /c useless(COMPOSER_DISABLE_NETWORK is set)" + name},
		{"composer install", in(dir(), "composer.json", `{"name": "a/b", "config": {"cache-dir": "x"}}`), "packages /c guess(composer.json moves the cache)" + name},
		{"composer dump-autoload", dir(), ""},
	})
}

// TestComposerManifests plants one trap at a time into a project that may be
// moved.
func TestComposerManifests(t *testing.T) {
	const good = "composer.json composer.lock"
	const install = "composer install --no-dev --no-scripts --no-autoloader --no-plugins"
	const lock = `{"packages": [{"name": "a/b", "type": "library", "dist": {"type": "zip"}}]}`
	tests := []struct {
		name, command, env string
		files              []string
		want               string
	}{
		{"nothing", install, "", []string{"composer.json", `{}`, "composer.lock", lock}, good},
		{"no composer.json", install, "", []string{"composer.lock", lock}, " breaks: the context has no file composer.json"},
		{"no lock", install, "", []string{"composer.json", `{}`}, "composer.json doubt: the context has no composer.lock, so that Composer would write one"},
		{"credentials", install, "", []string{"composer.json", `{}`, "composer.lock", lock, "auth.json", "{}"}, good + " auth.json"},
		{"autoloader", "composer install --no-scripts", "", []string{"composer.json", `{}`, "composer.lock", lock}, good + " doubt: the autoloader is made from the sources, too, without --no-autoloader"},
		{"scripts", "composer install --no-autoloader", "", []string{"composer.json", `{"scripts": {"post-install-cmd": "x"}}`, "composer.lock", lock}, good + " doubt: composer.json has a post-install-cmd script"},
		{"a command of its own", "composer install --no-autoloader", "", []string{"composer.json", `{"scripts": {"lint": "x"}}`, "composer.lock", lock}, good},
		{"plugin", "composer install --no-autoloader", "", []string{"composer.json", `{}`, "composer.lock", `{"packages-dev": [{"name": "a/p", "type": "composer-plugin"}]}`},
			good + " doubt: the plugin a/p runs in the installation (--no-plugins leaves it out)"},
		{"plugin left out", install, "", []string{"composer.json", `{}`, "composer.lock", `{"packages": [{"name": "a/p", "type": "composer-plugin"}]}`}, good},
		{"path repository", install, "", []string{"composer.json", `{"repositories": [{"type" : "path", "url": "lib"}]}`, "composer.lock", lock}, good + " breaks: composer.json takes packages from a folder of the project"},
		{"artifact repository", install, "", []string{"composer.json", `{"repositories": {"x": {"type":"artifact"}}}`, "composer.lock", lock}, good + " breaks: composer.json takes archives from a folder of the project"},
		{"path package", install, "", []string{"composer.json", `{}`, "composer.lock", `{"packages": [{"name": "a/l", "dist": {"type": "path"}}]}`}, good + " breaks: composer.lock has the local package a/l"},
		{"vendor-dir", install, "", []string{"composer.json", `{"config": {"vendor-dir": "lib"}}`, "composer.lock", lock}, good + " doubt: composer.json sets vendor-dir"},
		{"version control", install, "", []string{"composer.json", `{}`, "composer.lock", lock, ".git/HEAD", ""}, good + " doubt: the context has .git"},
		{"unknown option", install + " --apcu-autoloader", "", []string{"composer.json", `{}`, "composer.lock", lock}, good + " doubt: composer is given --apcu-autoloader"},
		{"COMPOSER", install, "COMPOSER=other.json", []string{"composer.json", `{}`, "composer.lock", lock}, good + " doubt: COMPOSER is set"},
		{"broken", install, "", []string{"composer.json", `{`, "composer.lock", lock}, good + " doubt: composer.json can't be read: unexpected end of JSON input"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := root()
			if tt.env != "" {
				e = root(tt.env)
			}
			if got := manifests(t, tt.command, in(e, tt.files...)); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
	if got, want := manifests(t, install, root()), "composer.json composer.lock* doubt: the build context is not known"; got != want {
		t.Error(got)
	}
}

func TestBundler(t *testing.T) {
	checkFind(t, [][2]string{
		{"bundle install --jobs 4", "bundle install fetch installs"},
		{"bundle", "bundle install fetch installs"},
		{"bundler install --local", "bundle install offline installs"},
		{"bundle exec rake", "bundle exec"},
		{"bundle config set path x", "bundle config locate"},
		{"bundle config --global mirror.all http://x", "bundle config locate"},
		{"bundle config set --local without 'development test'", "bundle config"},
		{"bundle config build.pg --with-x", "bundle config"},
		{"bundle config get path", "bundle config"},
		{"bundle clean", "bundle clean clean"},
		{"bundle --version", "bundle"},
		{"gem install rails -v 8", "gem install fetch"},
		{"gem install rails --version 8", "gem install fetch"},
		{"gem install --local x.gem", "gem install offline"},
		{"gem env", "gem env locate"},
		{"gem build x.gemspec", "gem build"},
	})
	const gems, pinned = "GEM\n  remote: https://rubygems.org/\n  specs:\n    a (1.0)\n      b (>= 1)\n    b (2.0)\n", "\nCHECKSUMS\n  a (1.0) sha256=1\n  b (2.0) sha256=2\n\nBUNDLED WITH\n   2.6.7\n"
	ruby := func(lock string, vars ...string) ecosystem.Env {
		return in(on("ruby:3.4", append(vars, "GEM_HOME=/g")...), "Gemfile", "", "Gemfile.lock", lock)
	}
	private := strings.Replace(gems, "https://rubygems.org", "https://gems.corp:8443", 1)
	many := gems
	for i := range 500 {
		many += fmt.Sprintf("    m%d (1.0)\n", i)
	}
	const install, unhashed = "bundle install", "Gemfile.lock has no hashes (bundle lock --add-checksums), and "
	const cache = "packages /g/cache"
	doubt := func(text string) string { return cache + " doubt(" + text + ")" }
	checkCaches(t, []cacheCase{
		{install, ruby(gems), cache},
		{install, ruby(gems + pinned), cache},
		{"bundle", ruby(gems), cache},
		{"bundle update", ruby(gems), doubt("bundle update takes a gem from the cache by its name, without a check of what it holds")},
		{"gem install rails", ruby(gems), doubt("gem install takes a gem from the cache by its name, without a check of what it holds")},
		{install, on("ruby:3.4"), "packages /usr/local/bundle/cache guess(where RubyGems keeps its gems is not known (GEM_HOME says it)) doubt(which servers the gems come from is not known without Gemfile.lock)"},
		{install, in(on("corp/ruby", "GEM_HOME=/g"), "Gemfile.lock", gems), doubt("the base image may bring settings of Bundler")},
		{install, ruby("DEPENDENCIES\n"), doubt("Gemfile.lock names no gems")},

		// A cache for each server, and only where every gem has a hash.
		{install, ruby(private), doubt(unhashed+"https://gems.corp:8443/ may give none") + " project(https---gems.corp-8443-)"},
		{install, ruby(private + pinned), cache + " project(https---gems.corp-8443-)"},
		{install, ruby(private + strings.Replace(pinned, "  b (2.0) sha256=2\n", "  b (2.0)\n", 1)), doubt(unhashed+"https://gems.corp:8443/ may give none") + " project(https---gems.corp-8443-)"},
		{install, ruby(private + strings.Replace(pinned, "2.6.7", "2.4.22", 1)), doubt(unhashed+"https://gems.corp:8443/ may give none") + " project(https---gems.corp-8443-)"},
		{install, ruby(private + strings.Replace(pinned, "2.6.7", "4.0.6", 1)), cache + " project(https---gems.corp-8443-)"},
		{install, ruby(many), doubt(unhashed + "Bundler asks for none where there are so many gems")},
		{install, ruby("GIT\n  remote: https://x\n  specs:\n    c (1.0)\n\n" + gems), doubt("Gemfile.lock has a gem from a repository, whose clone in the cache is copied into the image")},
		{install, ruby("PATH\n  remote: c\n  specs:\n    c (1.0)\n\n" + gems), cache},

		// Settings by which nothing is compared, or with another server's hashes.
		{install, ruby(gems, "BUNDLE_DISABLE_CHECKSUM_VALIDATION=true"), doubt("BUNDLE_DISABLE_CHECKSUM_VALIDATION is set")},
		{install, ruby(gems, "BUNDLE_MIRROR__ALL=http://x"), doubt("BUNDLE_MIRROR__ALL is set, and the mirror may give no hashes")},
		{install, ruby(gems+pinned, "BUNDLE_MIRROR__ALL=http://x"), cache},
		{install, ruby(gems, "BUNDLE_GEMFILE=x"), doubt("BUNDLE_GEMFILE is set")},
		{install + " --gemfile x", ruby(gems), doubt("bundle install is given --gemfile")},
		{install, in(ruby(""), "Gemfile.lock", gems, ".bundle/config", ""), doubt("the context has .bundle, which may have settings of Bundler")},
		{install, in(ruby(""), "Gemfile.lock", gems+pinned, ".bundle/config", ""), doubt("the context has .bundle, which may have settings of Bundler")},

		// Other folders.
		{install, in(ruby(""), "Gemfile.lock", gems, "vendor/cache/a-1.0.gem", ""), cache + " useless(Bundler takes gems from vendor/cache)"},
		{install + " --path vendor", ruby(gems), cache + " guess(bundle install is given --path)"},
		{install + " --deployment", ruby(gems), cache + " guess(bundle install is given --deployment)"},
		{install, ruby(gems, "BUNDLE_DEPLOYMENT=1"), cache + " guess(BUNDLE_DEPLOYMENT moves the cache)"},
		{install, ruby(gems, "BUNDLE_PATH=/b", "RUBY_VERSION=3.4.7"), "packages /b/ruby/3.4.0/cache"},
		{install, ruby(gems, "BUNDLE_PATH=/b", "RUBY_VERSION=3.4.7", "BUNDLE_DEPLOYMENT=1"), "packages /b/ruby/3.4.0/cache"},
		{install, ruby(gems, "BUNDLE_PATH=/b"), "packages /b/cache guess(the version of Ruby, which is part of the path below BUNDLE_PATH, is not known)"},
		{install, ruby(gems, "BUNDLE_PATH=b", "RUBY_VERSION=3.4.7"), "packages /usr/local/bundle/ruby/3.4.0/cache guess(BUNDLE_PATH=b is no absolute path)"},
		{"gem install rails", ruby(gems, "BUNDLE_PATH=/b"), doubt("gem install takes a gem from the cache by its name, without a check of what it holds")},
		{"gem install -i /x rails", ruby(gems), cache + " guess(gem install is given -i) doubt(gem install takes a gem from the cache by its name, without a check of what it holds)"},
		{"gem install rails", on("debian"), "  useless(where RubyGems keeps its gems is not known (GEM_HOME says it))"},
		{"bundle exec rake", ruby(gems), ""},
	})
}

// TestBundlerManifests plants one trap at a time.
func TestBundlerManifests(t *testing.T) {
	const good, lock = "Gemfile Gemfile.lock", "GEM\n  remote: https://rubygems.org/\n"
	const gemfile = "# frozen\nsource \"https://rubygems.org\"\nruby \"3.4\"\ngroup :test do\n  gem \"rspec\", \"~> 3\", require: false # c\nend\ngem 'rails', git: 'https://x'\n"
	tests := []struct {
		name, command, env, gemfile, lock string
		more                              []string
		want                              string
	}{
		{"nothing", "bundle install", "BUNDLE_FROZEN=true", gemfile, lock, nil, good},
		{"deployment", "bundle install --deployment", "A=b", gemfile, lock, nil, good},
		{"not frozen", "bundle install", "A=b", gemfile, lock, nil, good + " doubt: bundle install may write Gemfile.lock where it isn't frozen"},
		{"no lock", "bundle install --frozen", "A=b", gemfile, "", nil, "Gemfile doubt: the context has no Gemfile.lock"},
		{"no Gemfile", "bundle install --frozen", "A=b", "", lock, nil, " breaks: the context has no file Gemfile"},
		{"gemspec", "bundle install --frozen", "A=b", gemfile + "gemspec\n", lock, nil, good + " breaks: Gemfile names a package of the project: gemspec"},
		{"path", "bundle install --frozen", "A=b", gemfile + "gem 'x', path: 'x'\n", lock, nil, good + " breaks: Gemfile names a package of the project: gem 'x', path: 'x'"},
		{"old path", "bundle install --frozen", "A=b", gemfile + "gem 'x', :path => 'x'\n", lock, nil, good + " breaks: Gemfile names a package of the project: gem 'x', :path => 'x'"},
		{"path block", "bundle install --frozen", "A=b", gemfile + "path 'x' do\n", lock, nil, good + " breaks: Gemfile names a package of the project: path 'x' do"},
		{"path in the lock", "bundle install --frozen", "A=b", gemfile, lock + "PATH\n  remote: .\n", nil, good + " breaks: Gemfile.lock has a package of the project"},
		{"another file", "bundle install --frozen", "A=b", "eval_gemfile 'x'\n", lock, nil, good + " doubt: Gemfile may read other files: eval_gemfile 'x'"},
		{"a read", "bundle install --frozen", "A=b", "ruby File.read('.ruby-version')\n", lock, nil, good + " doubt: Gemfile may read other files: ruby File.read('.ruby-version')"},
		{"a version file", "bundle install --frozen", "A=b", "ruby file: '.ruby-version'\n", lock, nil, good + " doubt: Gemfile may read other files: ruby file: '.ruby-version'"},
		{"a command", "bundle install --frozen", "A=b", "gem 'x', `cat v`\n", lock, nil, good + " doubt: Gemfile may read other files: gem 'x', `cat v`"},
		{"a program", "bundle install --frozen", "A=b", "require 'json'\n", lock, nil, good + " doubt: Gemfile may read other files: require 'json'"},
		{"something else", "bundle install --frozen", "A=b", "x = 1\n", lock, nil, good + " doubt: Gemfile may read other files: x = 1"},
		{"settings", "bundle install --frozen", "A=b", gemfile, lock, []string{".bundle/config", ""}, good + " doubt: the context has .bundle"},
		{"unknown option", "bundle install --frozen --standalone x", "A=b", gemfile, lock, nil, good + " doubt: bundle is given --standalone"},
		{"a program of the project", "bundle install --frozen", "RUBYOPT=-r./x", gemfile, lock, nil, good + " doubt: RUBYOPT is -r./x"},
		{"another Gemfile", "bundle install --frozen", "BUNDLE_GEMFILE=x", gemfile, lock, nil, good + " doubt: BUNDLE_GEMFILE is x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := tt.more
			if tt.gemfile != "" {
				files = append(files, "Gemfile", tt.gemfile)
			}
			if tt.lock != "" {
				files = append(files, "Gemfile.lock", tt.lock)
			}
			if got := manifests(t, tt.command, in(root(tt.env), files...)); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
	if got := manifests(t, "bundle install --frozen", root()); !strings.HasSuffix(got, "doubt: the build context is not known") {
		t.Error(got)
	}
}
