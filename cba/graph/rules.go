package graph

import (
	"slices"

	"example.com/entracba/cba/lint"
)

// The rules of this package are about changes: what a configuration does by itself
// is said by packages policy, trust and signin.
var (
	disablesMethod = lint.Rule{Code: "graph-disables-method", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the change switches certificate-based authentication off",
		Do:   "leave the method enabled, or allow the lockout if it is intended", Source: lint.GraphConfiguration}
	deletesCA = lint.Rule{Code: "graph-deletes-ca", Severity: lint.Error, Effect: lint.LocksOut,
		What: "the change deletes a CA that has not expired",
		Do:   "keep the CA, or allow the lockout if it is intended", Source: lint.GraphAuthority}
)

var rules = []lint.Rule{disablesMethod, deletesCA}

// Rules returns the rules of the findings that plans have, for a list of all
// findings.
func Rules() []lint.Rule { return slices.Clone(rules) }
