//go:build unix

package console

import (
	"os"

	"golang.org/x/sys/unix"
)

// terminal returns the width of the terminal behind a file, 0 if there is none.
func terminal(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return max(int(size.Col), 1)
}
