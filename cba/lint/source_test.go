package lint_test

import (
	"testing"

	"example.com/entracba/cba/lint"
)

func TestSourceURL(t *testing.T) {
	for source, want := range map[lint.Source]string{
		lint.DeepDive:                       "https://learn.microsoft.com/entra/identity/authentication/concept-certificate-based-authentication-technical-deep-dive",
		lint.DeepDive + ", issuer hints":    lint.DeepDive.URL(),
		lint.RFC5280 + " section 4.2.1.6":   "https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6",
		lint.RFC5280 + " section 6.1.4 (n)": "https://www.rfc-editor.org/rfc/rfc5280#section-6.1.4",
		lint.UserIDs + "; " + lint.DeepDive: lint.UserIDs.URL(),
		lint.HowTo + ", authorities":        lint.HowTo.URL(),
		lint.OpenQuestion + " 9.4":          "docs/open-questions.md",
		"RFC 52801":                         "",
		"a blog":                            "",
		"":                                  "",
	} {
		if got := source.URL(); got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}
