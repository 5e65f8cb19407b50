package report

// Style is the style sheet of every page that [Report.WriteHTML] writes, for a page
// of a program that shows the parts of one.
func Style() string { return styleText }
