//go:build !unix

package folder_test

func ownGroup() bool { return false }
