package certuserid

// Codes returns the codes of all checks.
func Codes() []string {
	var codes []string
	for _, c := range checks {
		if c.severity == 0 || c.what == "" || c.do == "" || c.source == "" {
			panic("check " + c.code + " is not complete")
		}
		codes = append(codes, c.code)
	}
	return codes
}
