package lab

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"example.com/entracba/cba/signin"
)

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

var page = template.Must(template.New("page").Parse(strings.Replace(pageText, "/*STYLE*/", styleText, 1)))

// A form is what the page asks.
type form struct {
	User    string
	Require string // "", none, mfa, phishing-resistant, custom
	Hints   string // "" as the tenant has it, on, off
	TLS     string // "" as the browser can, 1.2
}

func formOf(q url.Values) form {
	return form{User: strings.TrimSpace(q.Get("user")), Require: q.Get("require"), Hints: q.Get("hints"), TLS: q.Get("tls")}
}

func (f form) query() string {
	q := url.Values{}
	for _, v := range [][2]string{{"user", f.User}, {"require", f.Require}, {"hints", f.Hints}, {"tls", f.TLS}} {
		if v[1] != "" {
			q.Set(v[0], v[1])
		}
	}
	return q.Encode()
}

func address(host, port string, f form) string {
	return "https://" + host + suffix(port) + "/?" + f.query()
}

// requirement is what the form requires.
func (l *Lab) requirement(f form) (signin.Requirement, bool) {
	switch f.Require {
	case "", "custom":
		return l.o.Require, true
	case "none":
		return signin.Requirement{}, true
	case "mfa":
		return signin.MFA(), true
	case "phishing-resistant":
		return signin.PhishingResistant(), true
	}
	return signin.Requirement{}, false
}

// ServeHTTP answers as the host's name says. It is for [Lab.Serve], whose connections
// have asked for a certificate.
func (l *Lab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	host, port := splitPort(strings.ToLower(r.Host))
	hints, _, certauth := l.hosts.asks(host)
	switch {
	// The certificate belongs to the connection: a request for another host that
	// comes on it is not answered.
	case r.TLS == nil || !strings.EqualFold(r.TLS.ServerName, host):
		http.Error(w, "this connection is for another host", http.StatusMisdirectedRequest)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
	case certauth && r.URL.Path == "/":
		h.Set("Connection", "close") // each sign-in has a handshake of its own
		l.serveVerdict(w, r, port, hints)
	case !certauth && r.URL.Path == "/":
		l.servePage(w, port, formOf(r.URL.Query()), "")
	case !certauth && r.URL.Path == "/signin":
		l.serveSignIn(w, r, port)
	default:
		http.NotFound(w, r)
	}
}

// serveSignIn sends the browser to the host that asks for a certificate.
func (l *Lab) serveSignIn(w http.ResponseWriter, r *http.Request, port string) {
	f := formOf(r.URL.Query())
	if f.User == "" {
		l.servePage(w, port, f, "Enter the user's name.")
		return
	}
	if _, ok := l.user(f.User); !ok {
		l.servePage(w, port, f, fmt.Sprintf("No user of the list is called %s. Entra answers AADSTS50034 before it asks for a certificate.", f.User))
		return
	}
	http.Redirect(w, r, address(l.hosts.certificateHost(l.hints(f), f.TLS == "1.2"), port, f), http.StatusSeeOther)
}

// hints reports whether issuer hints are to be sent.
func (l *Lab) hints(f form) bool {
	switch f.Hints {
	case "on":
		return true
	case "off":
		return false
	}
	return l.o.Tenant.Policy().IssuerHints()
}

// serveVerdict answers at a host that has asked for a certificate.
func (l *Lab) serveVerdict(w http.ResponseWriter, r *http.Request, port string, hints bool) {
	f := formOf(r.URL.Query())
	user, ok := l.user(f.User)
	require, known := l.requirement(f)
	if !ok || !known {
		http.Error(w, "user must be a user of the list, and require one of none, mfa, phishing-resistant, custom", http.StatusBadRequest)
		return
	}
	a, err := l.try(r.Context(), user, require, hints, r.TLS)
	if err != nil {
		http.Error(w, "no verdict: "+err.Error(), http.StatusInternalServerError)
		return
	}
	a.Report.Back = address(l.hosts.login, port, f)
	var b bytes.Buffer
	kind := "text/html; charset=utf-8"
	write := a.Report.WriteHTML
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		kind, write = "application/json", a.Report.WriteJSON
	}
	if err := write(&b); err != nil {
		http.Error(w, "no page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Write(b.Bytes())
	if l.o.Seen != nil {
		l.o.Seen(a)
	}
}

// A choice is one of a list of the form.
type choice struct {
	Value, Words string
	Chosen       bool
}

// servePage shows the form.
func (l *Lab) servePage(w http.ResponseWriter, port string, f form, wrong string) {
	pick := func(value string, all ...choice) []choice {
		for i := range all {
			all[i].Chosen = all[i].Value == value
		}
		return all
	}
	require := f.Require
	if require == "" {
		require = "none"
		if !l.o.Require.IsZero() {
			require = "custom"
		}
	}
	requirements := []choice{{Value: "none", Words: "nothing beyond the certificate"}, {Value: "mfa", Words: "multifactor authentication"},
		{Value: "phishing-resistant", Words: "phishing-resistant MFA"}}
	if !l.o.Require.IsZero() {
		requirements = append(requirements, choice{Value: "custom", Words: "as given to the program: " + l.o.Require.String()})
	}
	words := "as the tenant has it: not sent"
	if l.o.Tenant.Policy().IssuerHints() {
		words = "as the tenant has it: sent"
	}
	const shown = 200 // a list of all users of a tenant would be no list to choose from
	var users []string
	for _, c := range l.o.Users[:min(shown, len(l.o.Users))] {
		users = append(users, c.User.UserPrincipalName)
	}
	allowed := "'self'"
	for _, host := range l.hosts.certauth {
		allowed += " https://" + host + suffix(port)
	}
	sum := sha256.Sum256([]byte(styleText))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; frame-ancestors 'none'; form-action "+allowed)
	if wrong != "" {
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
	page.Execute(w, struct {
		form
		Wrong                        string
		Users                        []string
		More                         int
		Requirements, HintList, TLSs []choice
		Plain, Hinted                string
	}{f, wrong, users, len(l.o.Users) - len(users), pick(require, requirements...),
		pick(f.Hints, choice{Words: words}, choice{Value: "on", Words: "sent"}, choice{Value: "off", Words: "not sent"}),
		pick(f.TLS, choice{Words: "the newest that the browser can"}, choice{Value: "1.2", Words: "TLS 1.2"}),
		l.hosts.certauth[0], l.hosts.certauth[1]})
}
