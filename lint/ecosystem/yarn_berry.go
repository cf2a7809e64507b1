package ecosystem

import (
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yarnrc is what matters of .yarnrc.yml (yarnpkg.com/configuration/yarnrc).
type yarnrc struct {
	NodeLinker        string         `yaml:"nodeLinker"`
	EnableGlobalCache *bool          `yaml:"enableGlobalCache"`
	EnableMirror      *bool          `yaml:"enableMirror"`
	EnableScripts     *bool          `yaml:"enableScripts"`
	GlobalFolder      string         `yaml:"globalFolder"`
	ChecksumBehavior  string         `yaml:"checksumBehavior"`
	NmMode            string         `yaml:"nmMode"`
	YarnPath          string         `yaml:"yarnPath"`
	Other             map[string]any `yaml:",inline"`

	broken bool
}

// yarnrc reads .yarnrc.yml; there reports that the project has one.
func (p Project) yarnrc() (rc yarnrc, there bool) {
	if !p.Known() {
		return rc, false
	}
	there, err := p.Has(".yarnrc.yml")
	rc.broken = err != nil || there && yaml.Unmarshal(p.read(".yarnrc.yml"), &rc) != nil
	return rc, there
}

// major is the version that yarnPath names; 2 where that doesn't tell.
func (rc yarnrc) major() int {
	_, v, ok := strings.Cut(rc.YarnPath, "yarn-")
	if ok && len(v) > 1 && v[0] >= '1' && v[0] <= '9' && v[1] == '.' {
		return int(v[0] - '0')
	}
	return 2
}

// berry is the cache of Yarn 2 and later: archives that are named by package,
// version and checksum, and are checked against the lock file when they are
// used ("checksumBehavior"). Several projects and processes may share it
// ("cacheFolder").
//
// With enableGlobalCache, the default since 4, the folder is the cache itself,
// and Plug'n'Play loads packages from it when the program runs. Without, it is
// the mirror that the project's own cache is filled from ("enableMirror").
func (c *Cache) berry(e Env, major int) {
	rc, _ := e.Project.yarnrc()
	if rc.broken {
		c.Doubt = ".yarnrc.yml can't be read"
	}
	c.ID = "imgmgr-yarn-berry"
	c.Path, c.Guess = berryGlobal(rc, e)
	c.Path = path.Join(c.Path, "cache")
	global := major >= 4
	if rc.EnableGlobalCache != nil {
		global = *rc.EnableGlobalCache
	}
	linker := rc.NodeLinker
	for _, s := range []struct {
		name  string
		value *string
	}{{"YARN_NODE_LINKER", &linker}, {"YARN_CHECKSUM_BEHAVIOR", &rc.ChecksumBehavior}, {"YARN_NM_MODE", &rc.NmMode}} {
		if v, set, known := e.get(s.name); set {
			*s.value = v
		} else if !known && e.Open[s.name] {
			c.Doubt = "the value of " + s.name + " is not known"
		}
	}
	switch v, set, known := e.get("YARN_ENABLE_GLOBAL_CACHE"); {
	case set:
		global = v == "true" || v == "1"
	case !known && e.Open["YARN_ENABLE_GLOBAL_CACHE"]:
		global = true
	}
	switch {
	case global && linker != "node-modules" && linker != "pnpm":
		c.Off = "Plug'n'Play loads packages from the cache when the program runs"
	case global && linker == "pnpm", strings.HasPrefix(rc.NmMode, "hardlinks-global"):
		c.Doubt = "packages are linked to those of a global folder"
	case !global && rc.EnableMirror != nil && !*rc.EnableMirror:
		c.Useless = "yarn keeps its cache in the project alone"
	case rc.ChecksumBehavior != "" && rc.ChecksumBehavior != "throw":
		c.Doubt = "checksumBehavior is " + rc.ChecksumBehavior + ", so that yarn does not check what it takes from its cache"
	}
}

// berryGlobal is the setting globalFolder: by default berry in yarn's folder of
// XDG_DATA_HOME, or .yarn/berry in the home folder (yarnpkg-core,
// sources/folderUtils.ts).
func berryGlobal(rc yarnrc, e Env) (dir, guess string) {
	home, doubt := e.home()
	def := path.Join(home, ".yarn/berry")
	if v, set, known := e.get("XDG_DATA_HOME"); set && path.IsAbs(v) {
		def, doubt = path.Join(v, "yarn/berry"), ""
	} else if !known && doubt == "" {
		doubt = e.Why
	}
	if v := rc.GlobalFolder; v != "" && path.IsAbs(v) && !strings.Contains(v, "$") {
		def, doubt = path.Clean(v), ""
	} else if v != "" {
		doubt = "globalFolder in .yarnrc.yml names a folder that is not known"
	}
	return e.folder("YARN_GLOBAL_FOLDER", def, doubt)
}
