//go:build unix

package folder

import (
	"io/fs"
	"os"
	"syscall"
)

// noFollow makes opening a link fail.
const noFollow = syscall.O_NOFOLLOW

// ownGroup reports whether a folder belongs to this user and to the group that many
// systems make for each user, with the same number and with nobody else in it. Where
// they do, new folders are open for that group.
func ownGroup(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && s.Uid != 0 && int(s.Uid) == os.Geteuid() && s.Gid == s.Uid
}
