//go:build unix

package folder

import "syscall"

// noFollow makes opening a link fail.
const noFollow = syscall.O_NOFOLLOW
