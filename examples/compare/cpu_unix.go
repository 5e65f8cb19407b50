//go:build unix

package main

import (
	"syscall"
	"time"
)

const clock = "CPU time of user and system"

// used is the CPU time that this process has used, or its children.
func used(children bool) time.Duration {
	who := syscall.RUSAGE_SELF
	if children {
		who = syscall.RUSAGE_CHILDREN
	}
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(err) // cannot fail with these arguments
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
