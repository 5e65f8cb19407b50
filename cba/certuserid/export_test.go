package certuserid

// Codes returns the codes of all checks.
func Codes() []string {
	var codes []string
	for _, c := range checks {
		codes = append(codes, c.code)
	}
	return codes
}
