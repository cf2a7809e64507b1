// Package ui is what every subcommand shares towards the user: the three
// streams, how wide and how colourful they may be, and how a failure becomes
// one line and an exit code.
package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// Exit codes of every subcommand.
const (
	Clean    = 0 // nothing to complain of
	Findings = 1 // findings, or a policy that isn't met
	Failure  = 2 // wrong usage, or something could not be done
)

// Streams are where a command reads and writes.
type Streams struct {
	In  io.Reader
	Out Output
	Err Output
}

// Output is a stream with what is known of its reader.
type Output struct {
	io.Writer
	// Width is the number of columns to wrap to; 0 means: don't wrap.
	Width int
	// Color says that the reader understands ANSI colours and wants them.
	Color bool
}

// System returns the streams of the process. Lines are wrapped to the width of
// a terminal, or to COLUMNS where that is set. Colours are used on a terminal,
// unless TERM is dumb or CLICOLOR is 0, and everywhere with CLICOLOR_FORCE; with
// NO_COLOR nowhere. https://no-color.org, https://bixense.com/clicolors
func System() Streams {
	return Streams{In: os.Stdin, Out: output(os.Stdout), Err: output(os.Stderr)}
}

func output(f *os.File) Output {
	o := Output{Writer: f}
	terminal := term.IsTerminal(int(f.Fd()))
	o.Color = colors(terminal, os.Getenv)
	if columns, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && columns > 0 {
		o.Width = columns
	} else if terminal {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			o.Width = columns
		}
	}
	return o
}

func colors(terminal bool, env func(string) string) bool {
	switch force := env("CLICOLOR_FORCE"); {
	case env("NO_COLOR") != "":
		return false
	case force != "" && force != "0":
		return true
	}
	return terminal && env("TERM") != "dumb" && env("CLICOLOR") != "0"
}

// Exit is an error that decides the exit code. Without Err nothing is printed:
// the command has said what there is to say.
type Exit struct {
	Code int
	Err  error
}

func (e *Exit) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

func (e *Exit) Unwrap() error { return e.Err }

// Code prints err, if there is something to say, as one line that starts with
// the program's name, and returns the exit code that it stands for. Errors that
// don't say otherwise are failures.
func Code(w io.Writer, program string, err error) int {
	if err == nil {
		return Clean
	}
	code := Failure
	if exit, ok := errors.AsType[*Exit](err); ok {
		code, err = exit.Code, exit.Err
	}
	if err != nil {
		text := err.Error()
		if errors.Is(err, context.Canceled) { // by Ctrl-C, and so by somebody who knows
			text = strings.TrimSuffix(text, context.Canceled.Error()) + "interrupted"
		}
		fmt.Fprintf(w, "%s: %s\n", program, text)
	}
	return code
}
