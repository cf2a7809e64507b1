package lint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	engine "github.com/imgmgr/imgmgr/lint"
	"github.com/imgmgr/imgmgr/lint/config"
)

// settings finds the configuration of each Dockerfile.
type settings struct {
	opts    Options
	mu      sync.Mutex
	folders map[string]found // by absolute path
	// lists is held while an ignore list is read and written: several Dockerfiles
	// may have the same.
	lists sync.Mutex
}

// found is a configuration file and the folder that it is in.
type found struct {
	file *config.File
	dir  string
	err  error
}

// setting is what holds for one Dockerfile.
type setting struct {
	rules  []*engine.Rule
	failOn engine.Severity // 0: nothing fails
}

// of is the setting of the Dockerfile at path: by the file that the command
// line names, or by the one that is nearest above it; for standard input, above
// the current folder.
func (s *settings) of(path string) (setting, error) {
	name, err := filepath.Abs(path)
	if err != nil {
		return setting{}, fmt.Errorf("find the folder of %s: %w", path, err)
	}
	at := s.above(filepath.Dir(name))
	if at.err != nil {
		return setting{}, at.err
	}
	if s.profile(at.file) == engine.Hadolint && s.opts.Variables != nil {
		if at.file, err = at.file.WithHadolintVariables(s.opts.Variables); err != nil {
			return setting{}, err
		}
	}
	rel, err := filepath.Rel(at.dir, name)
	if err != nil {
		rel = name // on another volume
	}
	conf := at.file.For(filepath.ToSlash(rel), s.opts.Profile)
	set := setting{rules: conf.Rules(s.opts.Rules)}
	switch {
	case s.opts.FailOn != nil:
		set.failOn = *s.opts.FailOn
	case at.file.NoFail:
		set.failOn = engine.Off
	case at.file.FailOn != nil:
		set.failOn = *at.file.FailOn
	case conf.Profile == engine.Hadolint:
		set.failOn = engine.Info // hadolint's own default
	default:
		set.failOn = engine.Warning
	}
	if set.failOn == engine.Off {
		set.failOn = 0
	}
	return set, nil
}

func (s *settings) profile(file *config.File) engine.Profile {
	if s.opts.Profile != nil {
		return *s.opts.Profile
	}
	return file.Profile
}

// above is the configuration file in a folder or the nearest above it. A folder
// that holds a repository is the last one that is looked at.
func (s *settings) above(dir string) found {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.folders == nil {
		s.folders = map[string]found{}
	}
	if s.opts.Config != "" {
		dir = filepath.Dir(s.opts.Config)
		if _, ok := s.folders[dir]; !ok {
			s.folders[dir] = s.read(dir, s.opts.Config)
		}
		return s.folders[dir]
	}
	return s.search(dir)
}

func (s *settings) search(dir string) found {
	if at, ok := s.folders[dir]; ok {
		return at
	}
	at := found{file: &config.File{}, dir: dir}
	here := slices.IndexFunc(config.Names(), func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	})
	parent := filepath.Dir(dir)
	switch _, err := os.Stat(filepath.Join(dir, ".git")); {
	case here >= 0:
		at = s.read(dir, filepath.Join(dir, config.Names()[here]))
	case errors.Is(err, fs.ErrNotExist) && parent != dir:
		at = s.search(parent)
	}
	s.folders[dir] = at
	return at
}

func (s *settings) read(dir, name string) found {
	data, err := os.ReadFile(name)
	if err != nil {
		return found{err: fmt.Errorf("read the configuration: %w", err)}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return found{err: fmt.Errorf("find the folder of %s: %w", name, err)}
	}
	file, err := config.Read(name, data)
	if err == nil {
		err = s.checkNames(name, file)
	}
	return found{file, dir, err}
}

// checkNames refuses a configuration that names a rule which there isn't. The
// codes of other linters may well be of checks that aren't made here.
func (s *settings) checkNames(name string, file *config.File) error {
	lists := []map[string]engine.Severity{file.Severities}
	for _, o := range file.Overrides {
		lists = append(lists, o.Severities)
	}
	for _, list := range lists {
		for rule := range list {
			if strings.HasPrefix(rule, "dl") || strings.HasPrefix(rule, "sc") {
				continue
			}
			if _, err := named(s.opts.Rules, rule); err != nil {
				return fmt.Errorf("read the configuration %s: %w", name, err)
			}
		}
	}
	return nil
}
