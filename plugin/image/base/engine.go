package base

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/distribution/reference"

	"github.com/imgmgr/imgmgr/plugin/image"
	"github.com/imgmgr/imgmgr/plugin/image/engine"
)

// Engine is what is asked of a Docker Engine.
type Engine interface{ engine.API }

// engineTimeout is how long the Engine may take to describe an image. One that
// takes longer isn't asked again.
const engineTimeout = 2 * time.Second

// local is the Docker Engine of this machine.
type local struct {
	connect func(context.Context) (Engine, error)

	mu        sync.Mutex
	connected bool
	api       Engine
	err       error // why it isn't asked
	quiet     bool  // that needs no word
}

var errNoEngine = errors.New("there is no Docker Engine on this machine")

// find describes an image that the Engine has for the platform.
func (l *local) find(ctx context.Context, ref, platform string) (*image.Image, *engine.Source, error) {
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	api, err := l.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	src, err := engine.Open(ctx, api, ref)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.giveUp(err)
		}
		return nil, nil, err
	}
	img, err := src.Read(ctx, platform, nil)
	return img, src, err
}

// open connects once.
func (l *local) open(ctx context.Context) (Engine, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.connected || l.err != nil {
		return l.api, l.err
	}
	if l.connect == nil {
		l.err, l.quiet = errNoEngine, true
		return nil, l.err
	}
	api, err := l.connect(ctx)
	if err != nil {
		l.err, l.quiet = err, errors.Is(err, fs.ErrNotExist)
	} else {
		l.api, l.connected = api, true
	}
	return l.api, l.err
}

func (l *local) giveUp(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.api, l.err = nil, fmt.Errorf("the Docker Engine was not asked again: %w", err)
}

func (l *local) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.quiet {
		return nil
	}
	return l.err
}

func (l *local) forgive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connected, l.api, l.err, l.quiet = false, nil, nil, false
}

// pinOf is the digest in a reference.
func pinOf(ref string) (string, bool) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", false
	}
	d, ok := named.(reference.Digested)
	if !ok {
		return "", false
	}
	return d.Digest().String(), true
}
