//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/imgmgr/imgmgr/integration/sandbox"
	"github.com/imgmgr/imgmgr/lint/dockerfile"
)

// arm is one way to build a project.
type arm struct {
	name     string
	frontend string
	args     map[string]string
	expert   bool // with the expert's Dockerfile
}

// The names of the arms.
const (
	armUpstream = "upstream"
	armOurs     = "imgmgr"
	armSBOM     = "imgmgr with SBOM"
	armExpert   = "expert"
)

func (b *bench) arms() []arm {
	return []arm{
		{name: armUpstream, frontend: b.upstream},
		{name: armOurs, frontend: b.ours, args: map[string]string{"IMGMGR_SBOM": "off"}},
		{name: armSBOM, frontend: b.ours, args: map[string]string{"IMGMGR_SBOM": "on"}},
		{name: armExpert, frontend: b.upstream, expert: true},
	}
}

// The scenarios, in the order in which they are built.
const (
	cold      = "cold"
	unchanged = "unchanged"
	source    = "source edit"
	manifest  = "manifest edit"
	late      = "late Dockerfile edit"
)

// repeated are the scenarios of one round. Those that take little time are
// built several times.
func repeated() []string {
	return []string{cold, unchanged, unchanged, source, source, manifest, late}
}

// round takes each arm through all scenarios. The arm that begins is another
// one in each round.
func (b *bench) round(ctx context.Context, p project, round int) ([]record, error) {
	if err := b.unpackBases(ctx, p); err != nil {
		return nil, err
	}
	var records []record
	arms := b.arms()
	for i := range arms {
		measured, err := b.scenarios(ctx, p, arms[(i+round)%len(arms)])
		if err != nil {
			return nil, err
		}
		records = append(records, measured...)
	}
	return records, nil
}

// scenarios takes one arm through all scenarios, in a folder of its own.
func (b *bench) scenarios(ctx context.Context, p project, a arm) ([]record, error) {
	dir, err := os.MkdirTemp("", "imgmgr-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := p.lay(dir, a.expert); err != nil {
		return nil, err
	}
	// BuildKit puts the namespace in front of the ids of cache mounts, so they
	// start empty. The steps of a build without cache are all run.
	space := strconv.FormatInt(time.Now().UnixNano(), 36)
	req := sandbox.BuildRequest{Context: dir, Frontend: a.frontend, BuildArgs: map[string]string{"BUILDKIT_CACHE_MOUNT_NS": space}}
	for key, value := range a.args {
		req.BuildArgs[key] = value
	}
	var records []record
	before := map[string][]byte{}
	for i, scenario := range repeated() {
		token := space + strconv.Itoa(i)
		switch scenario {
		case source:
			err = p.Source.make(dir, token, before)
		case manifest:
			err = p.Manifest.make(dir, token, before)
		case late:
			err = appendLabel(dir, token)
		}
		if err != nil {
			return nil, err
		}
		req.NoCache = scenario == cold
		r, err := b.build(ctx, req, b.sb.Registry+"/bench/"+p.Name+":"+strings.ReplaceAll(a.name, " ", "-"))
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", a.name, scenario, err)
		}
		r.Arm, r.Scenario = a.name, scenario
		fmt.Fprintf(b.progress, "    %-18s %-22s %7.2f s wall %7.2f s CPU\n", a.name, scenario, r.Wall, r.CPU)
		records = append(records, r)
	}
	return records, nil
}

// build builds, pushes to ref, and notes what that cost.
func (b *bench) build(ctx context.Context, req sandbox.BuildRequest, ref string) (record, error) {
	req.Push = ref
	res, err := b.sb.Build(ctx, req)
	if err != nil {
		if res != nil {
			for _, v := range res.Vertices {
				if v.Error != "" {
					err = fmt.Errorf("%w\n%s\n%s", err, v.Name, v.Log)
				}
			}
		}
		return record{}, err
	}
	size, err := sandbox.ImageBytes(ctx, ref)
	return record{Wall: res.Wall.Seconds(), CPU: res.CPU.Seconds(), Sent: res.ContextBytes, Image: size}, err
}

// unpackBases has BuildKit fetch and unpack the images that the project's
// Dockerfiles start from.
func (b *bench) unpackBases(ctx context.Context, p project) error {
	dir, err := os.MkdirTemp("", "imgmgr-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := p.lay(dir, false); err != nil {
		return err
	}
	src, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
	if err != nil {
		return err
	}
	file, err := dockerfile.Parse("Dockerfile", src)
	if err != nil {
		return err
	}
	for _, st := range file.Stages {
		base := st.External()
		if base == "" {
			continue
		}
		if _, err := b.sb.Build(ctx, sandbox.BuildRequest{Dockerfile: []byte("FROM " + base + "\nRUN true\n")}); err != nil {
			return fmt.Errorf("unpack %s: %w", base, err)
		}
	}
	return nil
}
