package frontend

// manifests are the names that rules ask a project's folder for, files and
// folders. They are fetched in one exchange; a name that isn't here costs one
// of its own.
func manifests() []string {
	return []string{
		"package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc", "node_modules", "binding.gyp", "patches",
		"yarn.lock", ".yarnrc", ".yarnrc.yml", ".yarn", "pnpm-lock.yaml", "pnpm-workspace.yaml", ".pnpmfile.cjs",
		"go.mod", "go.sum", "go.work", "go.work.sum", "vendor", "Makefile", "makefile", "GNUmakefile",
		"requirements.txt", "pyproject.toml", "poetry.lock", "uv.lock", "poetry.toml", "uv.toml", ".python-version", ".venv", "venv",
		".pnp.cjs", ".pnp.js", ".pnpmfile.mjs", "pnpmfile.js", "bun.lock", "bun.lockb", "bunfig.toml",
		"Cargo.toml", "Cargo.lock", ".cargo", "pom.xml", ".mvn", "composer.json", "composer.lock", "auth.json",
		"Gemfile", "Gemfile.lock", ".bundle", "nuget.config", "NuGet.config", "NuGet.Config", "global.json", "packages.lock.json",
		"Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "Directory.Build.rsp", "MSBuild.rsp", "obj",
		"Directory.Solution.props", "Directory.Solution.targets",
	}
}
