package folder

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"example.com/entracba/cba"
)

// Key is what tells users apart: UPNs are case-insensitive, as in the directory and
// in most file systems, and two ways to write a letter in Unicode are one letter.
func Key(upn string) string { return strings.ToLower(composed(upn)) }

// composed writes every letter as one character where there is one (Unicode's form NFC):
// macOS writes names with letters and marks apart, directories and keyboards do not.
func composed(text string) string { return norm.NFC.String(text) }

// maxUPN is the longest UPN that Entra takes, in characters.
const maxUPN = 113

// CheckName refuses a UPN that cannot be part of the name of a file on every system,
// or would name a file somewhere else. Entra allows no such UPN either. The error is
// an [*Error] with reason [BadName].
func CheckName(upn string) error {
	bad := func(what, do string) error { return &Error{Reason: BadName, What: what, Hint: do} }
	if err := cba.CheckUPN(upn); err != nil {
		return &Error{Reason: BadName, What: "the UPN cannot be used", Err: err}
	}
	if i := strings.IndexAny(upn, `/\:*?"<>|`); i >= 0 {
		return bad(fmt.Sprintf("%q cannot name a file: it contains %q", upn, upn[i:i+1]), "")
	}
	// Systems differ in whether the two ways to write a letter are one name.
	if !norm.NFC.IsNormalString(upn) {
		return bad(fmt.Sprintf("%+q cannot name one file everywhere: a letter and its mark stand apart", upn), fmt.Sprintf("write %q, in Unicode's form NFC", composed(upn)))
	}
	stem, _, _ := strings.Cut(strings.ToUpper(upn), ".")
	stem = strings.TrimRight(stem, " ")
	switch {
	case upn != strings.TrimSpace(upn):
		return bad("there are spaces around the UPN", fmt.Sprintf("remove the spaces before or after %q", strings.TrimSpace(upn)))
	case upn[0] == '.' || upn[len(upn)-1] == '.':
		return bad(fmt.Sprintf("%q cannot name a file: it begins or ends with a dot", upn), "")
	case utf8.RuneCountInString(upn) > maxUPN:
		return bad(fmt.Sprintf("%.20q... has more than %d characters, the most that an account can have", upn, maxUPN), "")
	case slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}, stem),
		utf8.RuneCountInString(stem) == 4 && (stem[:3] == "COM" || stem[:3] == "LPT"): // COM¹ is COM1
		return bad(fmt.Sprintf("%q is the name of a device on Windows and cannot name a file", upn), "")
	}
	return nil
}

// local returns the path of a file in a folder that is named with slashes. It refuses
// a name that leads out of the folder.
func local(folder, name string) (string, error) {
	path, err := filepath.Localize(name)
	if err != nil || strings.Contains(name, `\`) || path == "." {
		return "", &Error{Reason: Outside, Path: folder, What: fmt.Sprintf("%q does not name a file in this folder", name)}
	}
	return filepath.Join(folder, path), nil
}

// MaxFile is the largest file that [ReadFile] reads, in bytes, and that the programs read
// of a certificate, a tenant or a plan: none comes near.
const MaxFile = 16 << 20

// ReadFile reads a file that a manifest in the folder names, of up to [MaxFile]. A
// manifest says which files are sent to people, so a name or a link that leads out of
// the folder is refused; the first with reason [Outside]. Names have slashes on every
// system.
func ReadFile(folder, name string) ([]byte, error) {
	if _, err := local(folder, name); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	content, err := readIn(root, name)
	return content, at(filepath.Join(folder, name), err)
}
