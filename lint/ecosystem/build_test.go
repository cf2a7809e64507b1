package ecosystem_test

import (
	"strings"
	"testing"

	"github.com/imgmgr/imgmgr/lint/ecosystem"
)

func TestCargo(t *testing.T) {
	checkFind(t, [][2]string{
		{"cargo build --release", "cargo build fetch build"},
		{"cargo +nightly build", "cargo build fetch build"},
		{"cargo -Z x install --path .", "cargo install fetch build"},
		{"cargo b --offline", "cargo b build offline"},
		{"cargo build --frozen", "cargo build build offline"},
		{"cargo fetch --locked", "cargo fetch fetch installs"},
		{"cargo fetch --manifest-path api/Cargo.toml", "cargo fetch fetch installs in api?"},
		{"cargo chef cook --recipe-path recipe.json", "cargo chef cook fetch build"},
		{"cargo chef prepare", "cargo chef prepare"},
		{"cargo leptos build", "cargo leptos fetch build"},
		{"cargo cache -a", "cargo cache clean locate"},
		{"cargo fmt", "cargo fmt"},
		{"cargo --version", "cargo"},
		{"rustup default stable", "none"},
	})
	const toml = "[workspace]\nmembers = [\"x\"]\n[package] # c\nname = \"app\" # c\n[[bin]]\nname = \"other\"\n"
	const reg, git = "registry /usr/local/cargo/registry", "git /usr/local/cargo/git"
	rust := on("rust:1.90", "CARGO_HOME=/usr/local/cargo")
	unknown := ecosystem.Env{Home: "/root", HomeKnown: true, Why: "WHY", Base: "rust:1", Vars: map[string]string{}}
	checkCaches(t, []cacheCase{
		{"cargo build", in(rust, "Cargo.toml", toml, "Cargo.lock", "x"), reg + " project(app)"},
		{"cargo build", in(rust, "Cargo.toml", toml, "Cargo.lock", `source = "git+https://x"`), reg + " project(app); " + git + " project(app)"},
		{"cargo build", in(rust, "Cargo.toml", toml), reg + " project(app); " + git + " project(app)"},
		{"cargo build", in(rust, "Cargo.toml", "[workspace]\n", "Cargo.lock", ""), reg + " doubt(the package's name isn't known, and its cache must not be shared with other projects)"},
		{"cargo build", in(rust, "Cargo.toml", "[workspace]\nmembers = [\"api\", \"lib\"]\n", "api/Cargo.toml", toml, "Cargo.lock", ""), reg + " project(app)"},
		{"cargo build", in(rust, "Cargo.toml", "[workspace]\nmembers = [\"../x\"]\n", "Cargo.lock", ""), reg + " doubt(the package's name isn't known, and its cache must not be shared with other projects)"},
		{"cargo build", in(rust, "Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n", "Cargo.lock", ""), reg + " doubt(the package's name isn't known, and its cache must not be shared with other projects)"},
		{"cargo build", in(on("debian"), "Cargo.toml", toml, "Cargo.lock", ""), "registry /root/.cargo/registry doubt(the base image may bring crates that can't be downloaded) project(app)"},
		{"cargo build --manifest-path api/Cargo.toml", in(rust, "api/Cargo.toml", toml, "api/Cargo.lock", ""), reg + " project(app)"},
		{"cargo build", in(rust, "Cargo.toml", toml, "Cargo.lock", "", ".cargo/config.toml", "[source.vendored-sources]\ndirectory = \"vendor\"\n"),
			reg + " useless(.cargo/config.toml takes crates from a folder of the project) project(app)"},
		{"cargo build", in(rust, "Cargo.toml", toml, "Cargo.lock", "", ".cargo/config", "[net]\noffline = true\n"), reg + " useless(.cargo/config sets offline) project(app)"},
		{"cargo build --config x.toml", in(rust, "Cargo.toml", toml, "Cargo.lock", ""), reg + " guess(cargo is given settings of its own) project(app)"},
		{"cargo install ripgrep", in(rust, "Cargo.toml", toml), reg + " project(app)"},
		{"cargo install --git https://x", in(rust, "Cargo.toml", toml), reg + " project(app); " + git + " project(app)"},
		{"cargo build", in(unknown, "Cargo.toml", toml, "Cargo.lock", ""), reg + " guess(WHY) project(app)"},
		{"cargo build", in(on("rust:1", "CARGO_HOME=/c", "CARGO_NET_OFFLINE=true"), "Cargo.toml", toml, "Cargo.lock", ""), "registry /c/registry useless(CARGO_NET_OFFLINE is true) project(app)"},
		{"cargo build", in(on("rust:1", "CARGO_HOME=/c", "RUSTC_WRAPPER=/usr/bin/sccache"), "Cargo.toml", toml, "Cargo.lock", ""),
			"registry /c/registry project(app); objects of sccache /root/.cache/sccache doubt(sccache doesn't see the files that procedural macros read)"},
		{"cargo build --offline", in(rust, "Cargo.toml", toml), ""},
		{"cargo fmt", in(rust, "Cargo.toml", toml), ""},
	})
	if got := manifests(t, "cargo fetch", in(rust, "Cargo.toml", toml)); got != "Cargo.toml Cargo.lock breaks: cargo stops where the sources of its targets are missing" {
		t.Error(got)
	}
}

func TestCcache(t *testing.T) {
	checkFind(t, [][2]string{
		{"ccache gcc -c x.c", "ccache build"},
		{"ccache -M 5G", "ccache locate"},
		{"ccache -C", "ccache --clear clean"},
		{"sccache --show-stats", "sccache locate"},
		{"make -j4", "make"},
		{"mkdir x", "none"},
	})
	const objects, config = "objects /c", " doubt(the shared cache may hold another build's ccache.conf (CCACHE_CONFIGPATH names one elsewhere))"
	set := []string{"CCACHE_DIR=/c", "CCACHE_CONFIGPATH=/etc/ccache.conf"}
	with := func(vars ...string) ecosystem.Env { return root(append(vars, set...)...) }
	checkCaches(t, []cacheCase{
		{"make", root(), ""},
		{"make", root("CC=gcc"), ""},
		{"make", with("CC=ccache gcc"), objects},
		{"make", with("PATH=/usr/lib/ccache:/usr/bin"), objects},
		{"make", with("PATH=/usr/lib/ccache/bin:/usr/bin"), objects},
		{"make", with("CMAKE_CXX_COMPILER_LAUNCHER=/usr/bin/ccache"), objects},
		{"cmake -DCMAKE_C_COMPILER_LAUNCHER=ccache .", with(), objects},
		{"ccache gcc -c x.c", with(), objects},
		{"ccache -C", with(), ""},
		{"ccache gcc -c x.c", root("CCACHE_DIR=/c"), objects + config},
		{"ccache gcc -c x.c", root("CCACHE_DIR=/c", "CCACHE_CONFIGPATH=/c/ccache.conf"), objects + config},
		{"ccache gcc -c x.c", root("CCACHE_CONFIGPATH=/x"), "objects /root/.cache/ccache guess(the version of ccache, which tells where its cache is, is not known (CCACHE_DIR sets it))"},
		{"ccache gcc -c x.c", with("CCACHE_SLOPPINESS=time_macros"), objects + " doubt(CCACHE_SLOPPINESS may make ccache take a result that isn't the compiler's own)"},
		{"ccache gcc -c x.c", with("CCACHE_COMPILERCHECK=content"), objects},
		{"ccache gcc -c x.c", with("CCACHE_DISABLE=1"), objects + " useless(CCACHE_DISABLE is set)"},
		{"make", root("CC=sccache gcc"), "objects of sccache /root/.cache/sccache"},
		{"make", root("CC=sccache gcc", "SCCACHE_DIR=/s"), "objects of sccache /s"},
		{"sccache gcc -c x.c", root("XDG_CACHE_HOME=/x"), "objects of sccache /x/sccache"},
		{"sccache gcc -c x.c", root("SCCACHE_BUCKET=b"), "objects of sccache /root/.cache/sccache useless(SCCACHE_BUCKET is set)"},
		{"sccache gcc -c x.c", root("SCCACHE_CONF=/x"), "objects of sccache /root/.cache/sccache guess(SCCACHE_CONF may move sccache's cache)"},
	})
}

// pomOf is a pom.xml with something in it.
func pomOf(inside ...string) string {
	return "<project><groupId>org.x</groupId><artifactId>app</artifactId><version>1-SNAPSHOT</version>" + strings.Join(inside, "") + "</project>"
}

func dependency(version string) string {
	return "<dependencies><dependency><version>" + version + "</version></dependency></dependencies>"
}

func TestMaven(t *testing.T) {
	checkFind(t, [][2]string{
		{"mvn -B package -DskipTests", "mvn package fetch build"},
		{"./mvnw -f api/pom.xml verify", "mvnw verify fetch build"},
		{"mvn -o package", "mvn package build offline"},
		{"mvn dependency:go-offline", "mvn dependency:go-offline fetch installs"},
		{"mvn dependency:go-offline package", "mvn dependency:go-offline fetch build"},
		{"mvn -f api dependency:resolve", "mvn dependency:resolve fetch installs in api?"},
		{"mvn --version", "mvn"},
	})
	const repo, name = "repository /root/.m2/repository", " project(org.x.app)"
	mvn := on("maven:3.9")
	checkCaches(t, []cacheCase{
		{"mvn package", in(mvn, "pom.xml", pomOf(dependency("1.0"))), repo + name + " package->-U package"},
		{"mvn package", mvn, repo + " doubt(the build context, and so the project's name, is not known)" + " package->-U package"},
		{"mvn package", in(mvn, "x", ""), repo + " doubt(the context has no file pom.xml, so that the project's name is not known)" + " package->-U package"},
		{"mvn package", in(mvn, "pom.xml", "<project>"), repo + " doubt(pom.xml can't be read: XML syntax error on line 1: unexpected EOF)" + " package->-U package"},
		{"mvn package", in(mvn, "pom.xml", "<project><artifactId>x</artifactId></project>"), repo + " doubt(pom.xml doesn't name the project)" + " package->-U package"},
		{"mvn package", in(on("other"), "pom.xml", pomOf()), repo + " doubt(the base image may bring artifacts that can't be downloaded)" + name + " package->-U package"},
		{"mvn -U package", in(mvn, "pom.xml", pomOf(dependency("2-SNAPSHOT"))), repo + name},
		{"mvn clean install", in(mvn, "pom.xml", pomOf()), repo + name + " never(install would put what the project makes into the cache, where the next build finds it)" + " clean->-U clean"},
		{"mvn deploy", in(mvn, "pom.xml", pomOf()), repo + name + " never(deploy would put what the project makes into the cache, where the next build finds it)" + " deploy->-U deploy"},
		{"mvn -Dmaven.repo.local=/r package", in(mvn, "pom.xml", pomOf()), "repository /r" + name + " package->-U package"},
		{"mvn -Dmaven.repo.local=r package", in(mvn, "pom.xml", pomOf()), repo + " guess(maven.repo.local names a folder that is not known)" + name + " package->-U package"},
		{"mvn -s settings.xml package", in(mvn, "pom.xml", pomOf()), repo + " guess(the settings that -s names may move the repository)" + name + " package->-U package"},
		{"mvn package", in(on("maven", "MAVEN_ARGS=-Dmaven.repo.local=/x"), "pom.xml", pomOf()), repo + " guess(MAVEN_ARGS may move the repository)" + name + " package->-U package"},
		{"mvn package", in(mvn, "pom.xml", pomOf(), ".mvn/maven.config", "-Dmaven.repo.local=x"), repo + " guess(.mvn/maven.config may move the repository)" + name + " package->-U package"},
		{"mvn versions:set -DnewVersion=2", in(mvn, "pom.xml", pomOf()), repo + name + " versions:set->-U versions:set"},
		{"mvn -nsu package", in(mvn, "pom.xml", pomOf()), repo + " doubt(-nsu keeps Maven from looking for newer versions)" + name},
		{"mvn package", in(mvn, "pom.xml", pomOf(), ".mvn/maven.config", "-T 2\n--no-snapshot-updates\n"), repo + " doubt(--no-snapshot-updates keeps Maven from looking for newer versions)" + name},
		{"mvn package", in(on("maven", "MAVEN_ARGS=-B -nsu"), "pom.xml", pomOf()), repo + " doubt(-nsu keeps Maven from looking for newer versions)" + name},
		{"mvn 'package'", in(mvn, "pom.xml", pomOf()), repo + " doubt(Maven looks for newer versions once a day only, without -U)" + name},
		{"mvn -U versions:set", in(mvn, "pom.xml", pomOf()), repo + name},
		{"mvn org.x:y-maven-plugin:1.0:go", in(mvn, "pom.xml", pomOf()), repo + name + " org.x:y-maven-plugin:1.0:go->-U org.x:y-maven-plugin:1.0:go"},
		{"mvn dependency:tree", in(mvn, "pom.xml", pomOf()), repo + name + " dependency:tree->-U dependency:tree"},
		{"mvn $GOAL", in(mvn, "pom.xml", pomOf()), repo + " doubt(which goals Maven is given is not known)" + name},
		{"mvn -o package", mvn, ""},
		{"mvn -v", mvn, ""},
	})
	for _, tt := range []struct {
		command string
		files   []string
		want    string
	}{
		{"mvn dependency:go-offline", []string{"pom.xml", pomOf()}, "pom.xml doubt: the plugins that dependency:go-offline starts may read the sources"},
		{"mvn dependency:go-offline", []string{"pom.xml", pomOf("<modules><module>a</module></modules>")}, "pom.xml doubt: the plugins that dependency:go-offline starts may read the sources breaks: pom.xml has modules"},
		{"mvn dependency:go-offline", []string{"pom.xml", pomOf(), ".mvn/x", ""}, "pom.xml doubt: the plugins that dependency:go-offline starts may read the sources breaks: Maven also reads the folder .mvn"},
		{"./mvnw dependency:go-offline", []string{"pom.xml", pomOf()}, "pom.xml doubt: the plugins that dependency:go-offline starts may read the sources breaks: the command itself comes with the sources"},
	} {
		if got := manifests(t, tt.command, in(mvn, tt.files...)); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.command, got, tt.want)
		}
	}
}

func TestGradle(t *testing.T) {
	checkFind(t, [][2]string{
		{"./gradlew build -x test", "gradlew build fetch build"},
		{"gradle -p api assemble", "gradle assemble fetch build"},
		{"gradle --offline build", "gradle build build offline"},
		{"gradle --version", "gradle"},
		{"./gradlew --version", "gradlew fetch"},
	})
	const cache, end = "modules /root/.gradle/caches/modules-2", " project(api)"
	const nameless = " doubt(the project's name isn't known, and the cache must not be shared with other projects)"
	const unpacked = " doubt(what the wrapper has unpacked there is run without a check, and no image has been proven equal with it yet)"
	with := func(base, settings string, vars ...string) ecosystem.Env {
		return in(on(base, vars...), "settings.gradle", settings)
	}
	const named, jdk = "// x\nrootProject.name = 'api'\n", "eclipse-temurin:21"
	const refreshed = " build->build --refresh-dependencies"
	checkCaches(t, []cacheCase{
		{"gradle build", with(jdk, named), cache + end + refreshed},
		{"gradle build", in(on(jdk), "settings.gradle.kts", `rootProject.name = "api"`), cache + end + refreshed},
		{"gradle -x test build --refresh-dependencies", with(jdk, named), cache + end},
		{"./gradlew build", with(jdk, named), cache + end + refreshed + "; wrapper /root/.gradle/wrapper" + unpacked + end},
		{"./gradlew --version", with(jdk, named), cache + end + "; wrapper /root/.gradle/wrapper" + unpacked + end},
		{"gradle build -x 'a b'", with(jdk, named), cache + end + " a b->'a b' --refresh-dependencies"},
		{"gradle -- build", with(jdk, named), cache + " doubt(Gradle looks for newer versions once a day only, without --refresh-dependencies)" + end},
		{"gradle", with(jdk, named), cache + " doubt(Gradle looks for newer versions once a day only, without --refresh-dependencies)" + end},
		{"gradle -P v=1 -Dx=y -x test build", with(jdk, named), cache + end + refreshed},
		{"gradle build", with("corp/jdk", named), cache + " doubt(the base image may bring artifacts that can't be downloaded)" + end + refreshed},
		{"gradle build", with(jdk, "rootProject.name = x\n"), cache + nameless + refreshed},
		{"gradle build", on(jdk), cache + nameless + refreshed},
		{"gradle -p web build", with(jdk, named), cache + nameless + refreshed},
		{"gradle -g /g build", with(jdk, named), "modules /g/caches/modules-2" + end + refreshed},
		{"gradle -g g build", with(jdk, named), cache + " guess(Gradle is given another user home)" + end + refreshed},
		{"gradle -Dgradle.user.home=/x build", with(jdk, named), cache + " guess(Gradle is given another user home)" + end + refreshed},
		{"gradle build", with(jdk, named, "GRADLE_USER_HOME=/u"), "modules /u/caches/modules-2" + end + refreshed},
		{"gradle build", with(jdk, named, "GRADLE_OPTS=-Dgradle.user.home=/x"), cache + " guess(GRADLE_OPTS may move Gradle's user home)" + end + refreshed},
		{"gradle build", with("gradle:8", named), "modules /home/gradle/.gradle/caches/modules-2 guess(the base image makes /home/gradle/.gradle a VOLUME) doubt(the base image may bring artifacts that can't be downloaded)" + end + refreshed},
		{"gradle --offline build", with(jdk, named), ""},
	})
}

func TestDotnet(t *testing.T) {
	checkFind(t, [][2]string{
		{"dotnet restore -a arm64", "dotnet restore fetch installs"},
		{"dotnet restore src/App/App.csproj", "dotnet restore fetch installs in src/App?"},
		{"dotnet restore src/App", "dotnet restore fetch installs in src/App?"},
		{"dotnet restore ../App", "dotnet restore fetch installs in ?"},
		{"dotnet restore $APP", "dotnet restore fetch installs in ?"},
		{"dotnet restore /p:X=Y App.csproj", "dotnet restore fetch"},
		{"dotnet publish -c Release -o /app", "dotnet publish fetch build"},
		{"dotnet publish --no-restore", "dotnet publish build offline"},
		{"dotnet tool install -g x", "dotnet tool install fetch"},
		{"dotnet nuget locals all --clear", "dotnet nuget locals --clear clean"},
		{"dotnet nuget locals all --list", "dotnet nuget locate"},
		{"dotnet App.dll", "dotnet App.dll"},
	})
	const doubt = " doubt(packages are not checked when they are used, and the cache is shared with other projects on this base image)"
	checkCaches(t, []cacheCase{
		{"dotnet restore", root(), "packages /root/.nuget/packages" + doubt},
		{"dotnet restore", root("NUGET_PACKAGES=/n"), "packages /n" + doubt},
		{"dotnet restore --packages /p", root("NUGET_PACKAGES=/n"), "packages /p" + doubt},
		{"dotnet restore --packages p", root(), "packages /root/.nuget/packages guess(dotnet is given another folder of packages)" + doubt},
		{"dotnet restore", in(root(), "nuget.config", `<add key="globalPackagesFolder" value="x"/>`), "packages /root/.nuget/packages guess(nuget.config moves the packages)" + doubt},
		{"dotnet publish --no-restore", root(), ""},
	})
}
