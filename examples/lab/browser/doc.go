// Package browser has the tests of examples/lab with real browsers, Chromium and
// Firefox, and with curl: from the certificate that examples/issue makes, by way of the
// files of examples/deliver, to the verdict on the screen.
//
//	go test -tags browsers ./examples/lab/browser
//
// The tests use Entra's own host names, port 443, the hosts file and the policy folders
// of the browsers. They do so in a mount and a network namespace of their own, where
// nothing of that reaches the machine. That takes root, or the right to make a user
// namespace.
//
// It is a module of its own, so that nobody else requires what drives a browser.
package browser
