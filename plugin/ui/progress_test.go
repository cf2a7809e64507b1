//go:build linux

package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// terminal opens a new terminal: what is written to the one comes out of the other.
func terminal(t *testing.T) (inside, outside *os.File) {
	t.Helper()
	outside, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { outside.Close() })
	var unlocked, n int32
	for request, value := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlocked, syscall.TIOCGPTN: &n} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, outside.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Fatal(errno)
		}
	}
	inside, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inside.Close() })
	return inside, outside
}

// A terminal shows one line and loses it at the end; a file gets nothing.
func TestProgressIsForTerminals(t *testing.T) {
	inside, outside := terminal(t)
	p := NewProgress(Output{Writer: inside}, "reading tags")
	p.Show(3, 10)
	p.Show(4, 10) // too soon after it
	p.End()
	text := make([]byte, 1000)
	n, err := outside.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(text[:n]); got != "\r\x1b[Kreading tags: 3 of 10\r\x1b[K" && !strings.HasSuffix(got, "4 of 10\r\x1b[K") {
		t.Errorf("the terminal shows %q", got)
	}

	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	p = NewProgress(Output{Writer: file}, "reading tags")
	p.Show(3, 10)
	p.End()
	if info, err := file.Stat(); err != nil || info.Size() > 0 {
		t.Errorf("the log has %d bytes (%v)", info.Size(), err)
	}
}
