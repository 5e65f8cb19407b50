package console

import (
	"os"

	"golang.org/x/sys/windows"
)

// terminal returns the width of the console behind a file, 0 if there is none or if it
// takes no colours and cursor movements.
func terminal(f *os.File) int {
	handle := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(handle, &mode) != nil {
		return 0
	}
	if windows.SetConsoleMode(handle, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) != nil {
		return 0
	}
	var info windows.ConsoleScreenBufferInfo
	if windows.GetConsoleScreenBufferInfo(handle, &info) != nil {
		return 80
	}
	return max(int(info.Window.Right)-int(info.Window.Left)+1, 1)
}
