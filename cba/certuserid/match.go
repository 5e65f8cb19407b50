package certuserid

import (
	"crypto/x509"
	"slices"

	"example.com/entracba/cba/internal/enum"
	"example.com/entracba/cba/internal/text"
	"example.com/entracba/cba/lint"
)

// A Fit says how well a stored value fits a certificate. The zero value is unset;
// every comparison returns one of the three.
type Fit uint8

const (
	// Unfit does not fit.
	Unfit Fit = iota + 1
	// Assumed fits if Entra ignores the letter case of the part after a tag, or
	// a 00 byte at the end of a reversed serial number. Neither is documented.
	Assumed
	// Exact is the certificate's value, character for character.
	Exact
)

var fits = enum.Of[Fit]("certuserid: fit", "unfit", "assumed", "exact")

// String returns "unfit", "assumed" or "exact".
func (f Fit) String() string { return fits.String(f) }

// MarshalText writes the text of [Fit.String]; an unset or unknown fit is an
// error.
func (f Fit) MarshalText() ([]byte, error) { return fits.Marshal(f) }

// UnmarshalText reads what MarshalText wrote.
func (f *Fit) UnmarshalText(text []byte) error { return fits.Unmarshal(f, text) }

// A Result says whether a stored value fits a certificate, and why.
type Result struct {
	Fit Fit `json:"fit"`
	// Mapping is the mapping by which the value fits, or that it seems to be
	// meant for; empty if it is of none.
	Mapping Mapping `json:"mapping,omitempty"`
	// Right is what the value should be for this certificate under that mapping.
	// It is the zero ID if the certificate has no field for it.
	Right ID `json:"right,omitzero"`
	// Findings say why the value does not fit, or on what assumption it does.
	Findings lint.Findings `json:"findings"`
}

// Fault says in words what is wrong with a value that does not fit; it is "" for one that
// fits. A value whose form is right, and that differs in no way that is a known mistake,
// may well be that of another certificate of the user: nothing more is said of it. Where
// the form is wrong, too, both is said.
func (r Result) Fault() string {
	var others lint.Findings
	for _, f := range r.Findings {
		if !differs(f) {
			others = append(others, f)
		}
	}
	switch {
	case r.Fit != Unfit || len(r.Findings) == 0:
		return ""
	case r.differs() && others.Worst() <= lint.Info:
		return "is well-formed, but not of this certificate"
	case r.differs():
		return "is not of this certificate; besides, " + others.Sorted()[0].What
	}
	return "is meant, but " + others.Sorted()[0].What
}

// differs reports whether the value was found to be another than the certificate's.
func (r Result) differs() bool { return slices.ContainsFunc(r.Findings, differs) }

func differs(f lint.Finding) bool {
	return f.Code == ruleHexOther.Code || f.Code == ruleOther.Code || f.Code == ruleNameOther.Code
}

// equalFold compares values or names that differ at most in letter case.
func equalFold(a, b string) bool { return text.EqualFold(a, b) }

// Match says whether a stored value fits a certificate, with the defaults of
// [Options], by which mapping, and if not, why: see [Values.Match].
func Match(stored string, cert *x509.Certificate) Result {
	return Options{}.Values(cert).Match(stored)
}

// Fit compares a stored value with the certificate's value under one mapping. It
// allocates nothing.
//
// The tags must match exactly, as Entra documents. After them the letter case of
// ASCII letters may differ, and the 00 byte at the end of a serial number whose
// first bit is set may be missing or added: the result is then [Assumed], because
// neither is documented (open questions 9.2 and 9.4). Letters beyond ASCII must be
// the same.
func (v *Values) Fit(m Mapping, stored string) Fit {
	want := v.id(m)
	if want.mapping == "" {
		return Unfit
	}
	if stored == want.text {
		return Exact
	}
	// Compare first, for most values are of other certificates; folding ASCII
	// letters moves no byte, so the parts of both begin at the same places.
	a, b := stored, want.text
	if m == IssuerAndSerialNumber && !v.options.BrokenBigEndianSerial {
		a, b = cutSignOctet(a, int(want.value)), cutSignOctet(b, int(want.value))
	}
	if !equalFold(a, b) {
		return Unfit
	}
	// The tags, and all that is not letter case, must be right.
	if id, _, fault := parse(stored); fault != "" || id.mapping != m || id.value != want.value {
		return Unfit
	}
	return Assumed
}

// cutSignOctet drops the 00 at the end of a reversed serial number, whose digits
// begin at value, if DER would ask for it: if the byte before has its first bit
// set.
func cutSignOctet(text string, value int) string {
	n := len(text)
	if n >= value+4 && text[n-2:] == "00" && text[n-4] >= '8' {
		return text[:n-2]
	}
	return text
}

// Match says whether a stored value fits the certificate, by which mapping, and
// if not, why. For a value that does not fit, it looks for known mistakes, as
// [Normalize] does with a certificate, and says what the correct value would be. It
// never fails: any text is a value.
func (v *Values) Match(stored string) Result {
	for _, m := range mappings {
		switch fit := v.Fit(m, stored); fit {
		case Exact:
			return Result{Fit: Exact, Mapping: m, Right: v.id(m)}
		case Assumed:
			return Result{Fit: Assumed, Mapping: m, Right: v.id(m), Findings: v.assumptions(stored)}
		}
	}
	return v.explain(stored)
}

// explain says why a value does not fit.
func (v *Values) explain(stored string) Result {
	r := reader{value: stored, cert: v}
	id := r.read()
	result := Result{Fit: Unfit, Mapping: r.mapping, Right: r.wanted(), Findings: r.findings}
	if id.mapping != "" && id.text == stored && r.findings.Worst() < lint.Error {
		// The form is right and nothing known is wrong: the values differ.
		result.Findings = append(result.Findings, finding(ruleOther, stored, quote(result.Right.text)))
	}
	return result
}

// assumptions says what must be true for a value to fit that is not letter for
// letter the certificate's.
func (v *Values) assumptions(stored string) lint.Findings {
	r := reader{value: stored, cert: v}
	r.read()
	return r.findings
}
