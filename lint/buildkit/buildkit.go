// Package buildkit runs BuildKit's own Dockerfile checks in process, without a
// daemon.
//
// The checks are calls strewn through BuildKit's converter, which wants a
// gateway client to resolve images and read .dockerignore. [Lint] gives it one
// that answers from facts alone and never solves anything.
package buildkit

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/imgmgr/imgmgr/lint/facts"
)

// Warning is one finding of BuildKit's linter.
type Warning struct {
	Rule    string
	Message string
	URL     string
	// StartLine and EndLine are lines of the file, from 1; 0 where BuildKit
	// names none.
	StartLine, EndLine int
}

// Report is what BuildKit says of a Dockerfile.
type Report struct {
	Warnings []Warning
	// Refusal is the error that would stop the build before its first step;
	// nil when there is none, or when a build argument could avoid it.
	Refusal *Warning
	// UnknownBases reports that the configuration of a base image wasn't known,
	// so that what the image brings (its variables, its platform) wasn't
	// either.
	UnknownBases bool
}

// Lint checks every stage, or those that facts.Target needs. The converter's
// panics on odd input become errors.
func Lint(ctx context.Context, name string, src []byte, fc facts.Context) (report *Report, err error) {
	defer func() {
		if p := recover(); p != nil {
			report, err = nil, fmt.Errorf("check %s with BuildKit's linter: it panicked: %v", name, p)
		}
	}()
	platform := platforms.Normalize(platforms.DefaultSpec())
	if fc.Platform != "" {
		if platform, err = platforms.Parse(fc.Platform); err != nil {
			return nil, fmt.Errorf("check %s for platform %q: %w", name, fc.Platform, err)
		}
	}
	gw := newGateway(fc, platform)
	client, err := dockerui.NewClient(gw)
	if err != nil {
		return nil, fmt.Errorf("check %s with BuildKit's linter: %w", name, err)
	}
	source := llb.NewSourceMap(nil, name, "Dockerfile", src)
	source.Definition = &llb.Definition{} // the converter reads it, though a text has none
	results, err := dockerfile2llb.DockerfileLint(ctx, src, dockerfile2llb.ConvertOpt{
		Config:         client.Config,
		Client:         client,
		SourceMap:      source,
		TargetPlatform: &platform,
		MetaResolver:   gw,
	})
	if err != nil {
		return nil, fmt.Errorf("check %s with BuildKit's linter: %w", name, err)
	}
	report = &Report{UnknownBases: gw.unknown.Load()}
	for _, w := range results.Warnings {
		at := Warning{Rule: w.RuleName, Message: w.Detail, URL: w.URL}
		at.StartLine, at.EndLine = lines(w.Location)
		report.Warnings = append(report.Warnings, at)
	}
	if results.Error != nil && !needsArgs(results.Error.Message) {
		// The place is said apart.
		refusal := Warning{Message: parseError.ReplaceAllString(results.Error.Message, "")}
		refusal.StartLine, refusal.EndLine = lines(&results.Error.Location)
		report.Refusal = &refusal
	}
	return report, nil
}

var parseError = regexp.MustCompile(`^dockerfile parse error on line \d+: `)

// needsArgs reports whether an error may go away with a --build-arg. That FROM
// is invalid without one is the check InvalidDefaultArgInFrom.
func needsArgs(message string) bool {
	return strings.Contains(message, "should not be blank") || strings.Contains(message, "failed to parse stage name") ||
		strings.Contains(message, "failed to process arguments for platform") || strings.Contains(message, "empty platform value") ||
		strings.Contains(message, "failed to parse platform")
}

func lines(at *pb.Location) (start, end int) {
	for _, r := range at.GetRanges() {
		if line := int(r.GetStart().GetLine()); line > 0 && (start == 0 || line < start) {
			start = line
		}
		end = max(end, int(r.GetEnd().GetLine()), start)
	}
	return start, end
}

// options are the build options that the converter reads.
func options(fc facts.Context, platform ocispecs.Platform) map[string]string {
	opts := map[string]string{"target": fc.Target, "platform": platforms.FormatAll(platform)}
	for k, v := range fc.Args {
		opts["build-arg:"+k] = v
	}
	for name := range maps.Keys(fc.Named) {
		opts["context:"+name] = "local:" + name
	}
	return opts
}
