// Package filelock takes locks that other processes see, and that end with the process
// that holds them, however it ends.
package filelock
