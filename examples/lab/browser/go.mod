module example.com/entracba/examples/lab/browser

go 1.26.0

require (
	example.com/entracba v0.0.0
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
)

require (
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	golang.org/x/crypto v0.59.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
	golang.org/x/text v0.44.0 // indirect
	howett.net/plist v1.0.1 // indirect
)

replace example.com/entracba => ../../..
