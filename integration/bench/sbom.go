//go:build linux

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strconv"
	"time"

	"github.com/imgmgr/imgmgr/integration/sandbox"
)

// The arms of the extra "sbom" that no other measurement has.
const (
	armPlain = "plain scanner" // upstream's frontend, and syft as it is
	armWhole = "one scan"      // upstream's frontend, and our scanner as its generator
)

// scanRounds is how often each arm is measured, in turn with the others.
const scanRounds = 3

// scans measures what the SBOM of an image adds to a build, first and after an edit
// of a source file. The project has its installation above the sources, so that
// little but the scan is done.
func (b *bench) scans(ctx context.Context) ([]record, error) {
	plain, err := b.sb.PlainScanner(ctx)
	if err != nil {
		return nil, err
	}
	generator := func(ref string) map[string]string {
		return map[string]string{"provenance": "mode=min", "sbom": "generator=" + ref}
	}
	without := sandbox.BuildxAttests()
	arms := []struct {
		name    string
		req     sandbox.BuildRequest
		attests map[string]string
	}{
		{armUpstream, sandbox.BuildRequest{Frontend: b.upstream}, without},
		{armPlain, sandbox.BuildRequest{Frontend: b.upstream}, generator(plain)},
		{armWhole, sandbox.BuildRequest{Frontend: b.upstream}, generator(b.ours)},
		{armSBOM, sandbox.BuildRequest{Frontend: b.ours, BuildArgs: map[string]string{"IMGMGR_REWRITE": "off"}}, without},
	}
	var records []record
	for range scanRounds {
		for _, a := range arms {
			a.req.Attests = a.attests
			measured, err := b.scan(ctx, a.name, a.req)
			if err != nil {
				return nil, err
			}
			records = append(records, measured...)
		}
	}
	return records, nil
}

// scan builds one arm, from nothing and after an edit.
func (b *bench) scan(ctx context.Context, arm string, req sandbox.BuildRequest) ([]record, error) {
	p, dir, err := laid("node-ordered")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	space := strconv.FormatInt(time.Now().UnixNano(), 36)
	req.Context, req.BuildArgs = dir, maps.Clone(req.BuildArgs)
	var records []record
	before := map[string][]byte{}
	for i, scenario := range []string{cold, source} {
		if scenario == source {
			if err := p.Source.make(dir, space+strconv.Itoa(i), before); err != nil {
				return nil, err
			}
		}
		req.NoCache = scenario == cold
		r, err := b.build(ctx, req, b.sb.Registry+"/bench/sbom:"+strconv.Itoa(i))
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", arm, scenario, err)
		}
		r.Arm, r.Scenario = arm, scenario
		fmt.Fprintf(b.progress, "    %-18s %-22s %7.2f s wall %7.2f s CPU\n", arm, scenario, r.Wall, r.CPU)
		records = append(records, r)
	}
	return records, nil
}
