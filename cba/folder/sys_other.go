//go:build !unix

package folder

import "io/fs"

const noFollow = 0

func ownGroup(fs.FileInfo) bool { return false }
