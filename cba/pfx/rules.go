package pfx

import (
	"fmt"
	"slices"

	"example.com/entracba/cba/lint"
)

// Rules returns every rule whose findings [Inspect] can have.
func Rules() []lint.Rule { return slices.Clone(rules) }

var (
	ruleClearKey = lint.Rule{Code: "pfx-key-in-the-clear", Severity: lint.Error, Source: lint.RFC7292,
		What: "the private key is not encrypted: anyone who has the file has the key",
		Do:   "write the file again with a password, and treat the key as known to everyone who had the file"}
	ruleNoMAC = lint.Rule{Code: "pfx-no-mac", Severity: lint.Warning, Source: lint.RFC7292 + " section 4",
		What: "the file has no MAC: changes to it go unnoticed, and most programs refuse it",
		Do:   "write the file again"}
	ruleRC2 = lint.Rule{Code: "pfx-rc2", Severity: lint.Warning, Source: lint.RFC7292,
		What: "the certificates are encrypted with RC2, which OpenSSL 3 and Node 18 refuse",
		Do:   `use the encoding "compat" or "modern"`}
	rulePBMAC1 = lint.Rule{Code: "pfx-pbmac1", Severity: lint.Warning, Source: lint.RFC9879,
		What: "the MAC is PBMAC1, which few programs read",
		Do:   `use the encoding "modern", unless you need FIPS 140-3`}
	ruleMixed = lint.Rule{Code: "pfx-mixed", Severity: lint.Warning, Source: lint.RFC7292,
		What: "no usual program writes this mix of algorithms",
		Do:   `use the encoding "compat" or "modern"`}
	ruleBER = lint.Rule{Code: "pfx-ber", Severity: lint.Info, Source: lint.RFC7292 + " section 4",
		What: "the file is BER, not DER; some programs, among them those written in Go, do not read BER",
		Do:   "write the file again"}
	ruleIterations = lint.Rule{Code: "pfx-iterations", Severity: lint.Warning, Source: lint.RFC7292,
		What: fmt.Sprintf("the file needs more iterations of key derivation than .NET 9 accepts by default: %d for one key, %d in total (Pkcs12LoaderLimits)", MaxIterations, maxDotNetTotal),
		Do:   fmt.Sprintf("use at most %d iterations and a random password", MaxIterations)}
)

var rules = []lint.Rule{ruleClearKey, ruleNoMAC, ruleRC2, rulePBMAC1, ruleMixed, ruleBER, ruleIterations}
