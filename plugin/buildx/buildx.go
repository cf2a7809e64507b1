// Package buildx builds on the user's own builder, as the docker command does:
// whatever its driver, and with the user's logins.
package buildx

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/docker/cli/cli-plugins/metadata"
)

// Builder is a builder of buildx by its name; "" is the current one.
type Builder string

// Build is one build.
type Build struct {
	// Args stand behind "docker buildx build"; the last is the build context.
	Args []string
	// Stdin and Stdout may be nil.
	Stdin  io.Reader
	Stdout io.Writer
	// Log is told each line of the build's log as it comes; may be nil.
	Log func(line string)
}

// Failed is a build that didn't come to its end.
type Failed struct {
	Err error
	Log []string // the last lines
}

func (f *Failed) Error() string {
	last := ""
	if n := len(f.Log); n > 0 {
		last = ": " + f.Log[n-1]
	}
	return fmt.Sprintf("docker buildx build: %v%s", f.Err, last)
}

func (f *Failed) Unwrap() error { return f.Err }

// Step is what the log says of the step that failed: its output, and its place in
// the Dockerfile. It is "" where the build failed before any step.
func (f *Failed) Step() string {
	const rule = "------" // in front of the step's output and behind it
	i := slices.Index(f.Log, rule)
	if i < 0 {
		return ""
	}
	return strings.Join(f.Log[i:], "\n")
}

// keptLines is how much of a log is kept for an error: a failed step's output and
// its place in the Dockerfile take some thirty lines.
const keptLines = 200

// Run builds. The error is a *Failed where the builder or the build failed.
func (b Builder) Run(ctx context.Context, build Build) error {
	args := []string{"buildx", "build"}
	if b != "" {
		args = append(args, "--builder", string(b))
	}
	cmd := docker(ctx, append(args, build.Args...)...)
	cmd.Stdin, cmd.Stdout = build.Stdin, build.Stdout
	log, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("start docker: %w", err)
	}
	var last []string
	for in := bufio.NewReader(log); ; {
		line, err := in.ReadString('\n')
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			if last = append(last, line); len(last) > 2*keptLines {
				last = append([]string{}, last[keptLines:]...)
			}
			if build.Log != nil {
				build.Log(line)
			}
		}
		if err != nil {
			break // what is wrong with the pipe is wrong with the command
		}
	}
	if err := cmd.Wait(); err != nil {
		return cmp.Or(ctx.Err(), error(&Failed{Err: err, Log: last}))
	}
	return nil
}

// Driver starts the builder and names what it runs in: "docker" is the Docker
// Engine itself.
func (b Builder) Driver(ctx context.Context) (string, error) {
	args := []string{"buildx", "inspect", "--bootstrap"}
	if b != "" {
		args = append(args, string(b))
	}
	cmd := docker(ctx, args...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("there is no docker command, and so no builder: install the Docker CLI with buildx")
	}
	driver := field(out.String(), "Driver:")
	if err == nil {
		if why := field(out.String(), "Error:"); why != "" {
			err = errors.New(why)
		}
	}
	if err != nil {
		why, _, _ := strings.Cut(strings.TrimSpace(log.String()), "\n")
		if why == "" {
			why = err.Error()
		}
		return "", fmt.Errorf("no builder is there: docker buildx inspect says %q; docker buildx ls lists builders, and --builder names one", why)
	}
	return driver, nil
}

// field is the rest of the first line that begins with a key.
func field(text, key string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, key); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// RemoveImage takes an image out of the Docker Engine.
func RemoveImage(ctx context.Context, ref string) error {
	if out, err := docker(ctx, "image", "rm", ref).CombinedOutput(); err != nil {
		return fmt.Errorf("remove the image %s: %w: %s", ref, err, bytes.TrimSpace(out))
	}
	return nil
}

// docker is the docker command that started this process, or the first one in PATH.
func docker(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, cmp.Or(os.Getenv(metadata.ReexecEnvvar), "docker"), args...)
}
