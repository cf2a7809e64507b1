//go:build linux

package sandbox

import (
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// Vertex is one step of a build.
type Vertex struct {
	Digest digest.Digest
	Name   string // "[2/3] RUN make"
	Cached bool
	Error  string
	// Started and Completed are zero for a step that never was.
	Started, Completed time.Time
	Log                string // standard output and standard error, as they came
}

// Duration is how long the step took, 0 if it did not end.
func (v *Vertex) Duration() time.Duration {
	if v.Started.IsZero() || v.Completed.IsZero() {
		return 0
	}
	return v.Completed.Sub(v.Started)
}

// Step finds the step whose name has text in it, nil if there is none.
func (r *BuildResult) Step(text string) *Vertex {
	for _, v := range r.Vertices {
		if strings.Contains(v.Name, text) {
			return v
		}
	}
	return nil
}

// collect reads a build's status stream to its end. Each message repeats what
// is known of a step, so the last word counts; a step may start and complete
// more than once, and then its first start and its last end count.
func collect(stream <-chan *client.SolveStatus) *BuildResult {
	result := &BuildResult{}
	byDigest := map[digest.Digest]*Vertex{}
	logs := map[digest.Digest]*strings.Builder{}
	sent := map[string]int64{}
	for status := range stream {
		for _, u := range status.Vertexes {
			v, ok := byDigest[u.Digest]
			if !ok {
				v = &Vertex{Digest: u.Digest}
				byDigest[u.Digest] = v
				result.Vertices = append(result.Vertices, v)
			}
			v.update(u)
		}
		for _, l := range status.Logs {
			if logs[l.Vertex] == nil {
				logs[l.Vertex] = &strings.Builder{}
			}
			logs[l.Vertex].Write(l.Data)
		}
		for _, s := range status.Statuses {
			if strings.HasPrefix(s.ID, "transferring ") {
				key := string(s.Vertex) + s.ID
				sent[key] = max(sent[key], s.Current)
			}
		}
		result.Warnings = append(result.Warnings, status.Warnings...)
	}
	for digest, log := range logs {
		if v := byDigest[digest]; v != nil {
			v.Log = log.String()
		}
	}
	for _, n := range sent {
		result.ContextBytes += n
	}
	return result
}

func (v *Vertex) update(u *client.Vertex) {
	v.Name, v.Error = u.Name, u.Error
	v.Cached = v.Cached || u.Cached
	if u.Started != nil && v.Started.IsZero() {
		v.Started = *u.Started
	}
	if u.Completed != nil {
		v.Completed = *u.Completed
	}
}
