package lint

import (
	"fmt"
	"io/fs"
	"os"

	"github.com/imgmgr/imgmgr/lint/facts"
)

// Context is a build context on this machine.
type Context struct {
	Dir string
	// Files are those that BuildKit gets: without what is ignored.
	Files fs.FS
	// Ignored is the text that says what is ignored; nil where nothing does.
	Ignored []byte
	Churn   facts.Churn
	root    *os.Root
}

// OpenContext opens the folder that a Dockerfile is built in.
func OpenContext(dir, dockerfile string) (*Context, error) {
	if err := checkFolder(dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the build context %s: %w", dir, readError(err))
	}
	c := &Context{Dir: dir, Churn: NewHistory().of(dir), root: root}
	if c.Files, c.Ignored, _, err = ignoring(root, dockerfile); err != nil {
		root.Close()
		return nil, err
	}
	return c, nil
}

// Close gives the folder back.
func (c *Context) Close() error { return c.root.Close() }
