package console

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"example.com/entracba/cba/aadsts"
)

// Codes says below a table what its codes mean, each once. Texts that are no code of
// Entra's are passed over. It reports whether it wrote something.
func Codes(w io.Writer, codes ...string) bool {
	var rows [][]string
	for _, code := range slices.Compact(slices.Sorted(slices.Values(codes))) {
		number, err := strconv.Atoi(strings.TrimPrefix(code, "AADSTS"))
		if c, known := aadsts.Find(number); err == nil && known {
			rows = append(rows, []string{code, cmp.Or(c.When, c.Text)})
		}
	}
	if len(rows) > 0 {
		fmt.Fprintln(w)
		Rows(w, rows...)
	}
	return len(rows) > 0
}
