package facts

import "context"

// ShellChecker reads shell scripts as the program ShellCheck does.
type ShellChecker interface {
	// ShellCheck returns the remarks on each script, in the order of their
	// places. The dialect is that of the script's own directive
	// ("# shellcheck shell=dash"). An error wraps ErrUnknown where the program
	// can't be run or understood.
	ShellCheck(ctx context.Context, scripts []string) ([][]ShellRemark, error)
}

// ShellRemark is what ShellCheck says of a place in a script. Offsets are bytes.
type ShellRemark struct {
	Start, End int
	Code       int    // 2086
	Level      string // "error", "warning", "info" or "style"
	Message    string
	Fix        []ShellEdit // made together; nil: none
}

// ShellEdit replaces the bytes from Start to End of a script.
type ShellEdit struct {
	Start, End int
	New        string
}
