package main_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/trust"
	"example.com/entracba/examples/internal/programtest"
	"example.com/entracba/examples/internal/tenant/tenanttest"
)

var program string

func TestMain(m *testing.M) { programtest.Main(m, func(path string) { program = path }) }

// A place is a served tenant, a folder to work in, and the users' certificates.
type place struct {
	*tenanttest.Server
	t    *testing.T
	dir  string
	demo *graphtest.Demonstration
}

// served is the demonstration's tenant behind HTTP, with a file users.jsonl. Its CRLs
// are given as files.
func served(t *testing.T, change func(*graphtest.Tenant)) *place {
	t.Helper()
	d, err := graphtest.Demo(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, dir: t.TempDir(), demo: d}
	if change != nil {
		change(&d.Tenant)
	}
	p.Server = tenanttest.Serve(t, d.Tenant, graphtest.Options{})
	var lines bytes.Buffer
	for _, u := range d.Tenant.Users {
		text, err := json.Marshal(map[string]any{"userPrincipalName": u.UserPrincipalName, "certificates": [][]byte{d.Certificates[u.UserPrincipalName].Raw}})
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(text, '\n'))
	}
	p.write("users.jsonl", lines.Bytes())
	for url, der := range d.CRLs {
		p.write(filepath.Base(url), der)
	}
	return p
}

func (p *place) write(name string, content []byte) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), content, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// ca writes a CA's certificate in PEM.
func (p *place) ca(name string) {
	p.t.Helper()
	d, err := graphtest.Demo(time.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.Tenant.PKIs[0].Authorities[0].Certificate}))
}

func (p *place) run(args ...string) programtest.Result {
	p.t.Helper()
	return tenanttest.Run(p.t, p.Server, program, p.dir, args...)
}

// about adds what is known of the users.
func about(args ...string) []string {
	return append(args, "-users", "users.jsonl", "-crl", "http://crl.contoso.com/root.crl=root.crl", "-crl", "http://crl.contoso.com/issuing.crl=issuing.crl")
}

// must holds a run against an exit status and texts that it prints.
func (p *place) must(r programtest.Result, code int, texts ...string) {
	p.t.Helper()
	if r.Code != code {
		p.t.Errorf("exit status %d, want %d\n%s%s", r.Code, code, r.Stdout, r.Stderr)
		return
	}
	for _, text := range texts {
		if !strings.Contains(r.Stdout+r.Stderr, text) {
			p.t.Errorf("no %q in\n%s%s", text, r.Stdout, r.Stderr)
		}
	}
}

// untouched fails if anything was written to the tenant.
func (p *place) untouched() {
	p.t.Helper()
	if w := p.Writes(); len(w) != 0 {
		p.t.Errorf("written: %v %v", w[0].Method, w[0].URL)
	}
}

func TestDemonstration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := programtest.Run(t, program, dir, nil)
	for _, want := range []string{"Demonstration", `+ CA "Contoso Card CA" of PKI "Contoso PKI"`, "- certificateUserBindings[PrincipalName]", "john@contoso.com  loses   single-factor  refused, AADSTS1001009",
		"2 lose access, 4 unchanged", "Refused, and nothing was changed: 2 users lose access", "-tenant ID -then tenant.json"} {
		if r.Code != 1 || !strings.Contains(r.Stdout, want) {
			t.Errorf("exit status %d, no %q in\n%s%s", r.Code, want, r.Stdout, r.Stderr)
		}
	}
	r = programtest.Run(t, program, dir, nil, "-rule", "1.2.3.9=multifactor", "-exit-code")
	if r.Code != 4 || !strings.Contains(r.Stdout, "rules[policyOID 1.2.3.9]") {
		t.Errorf("%+v", r)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left files: %v", left)
	}
}

// The whole life of a change: planned, saved, applied, applied again, taken back.
func TestPlanApplyUndo(t *testing.T) {
	t.Parallel()
	p := served(t, nil)
	p.ca("cards.pem")
	change := []string{"-ca", "cards.pem", "-crl-url", "http://crl.contoso.com/cards.crl", "-group", "00000000-0000-4000-8000-0000000000a2", "-bind", "PrincipalName=userPrincipalName",
		"-bind", "SKI=certificateUserIds", "-rule", "1.2.3.9=multifactor,high"}
	p.must(p.run(about(change...)...), 0, `+ CA "Contoso Root CA" of PKI "Contoso PKI"`, `certificateRevocationListUrl: "http://crl.contoso.com/cards.crl"`,
		"- certificateUserBindings[RFC822Name]", "+ authenticationModeConfiguration.rules[policyOID 1.2.3.9]", "Nothing was changed yet.", "-rule 1.2.3.9=multifactor,high", "-out plan.json\n")
	p.must(p.run(about(append(change, "-exit-code", "-out", "plan.json")...)...), 4, "Apply it.\n  go run ./examples/setup -endpoint "+p.URL+"/v1.0 -apply plan.json")
	p.untouched()
	if info, err := os.Stat(filepath.Join(p.dir, "plan.json")); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("plan: %v, %v", info.Mode(), err)
	}
	p.must(p.run(about(append(change, "-out", "plan.json")...)...), 2, "plan.json exists already")

	p.must(p.run("-apply", "plan.json"), 0, "Applied, and read back", "To take it back:\n  go run ./examples/setup -endpoint "+p.URL+"/v1.0 -undo plan.json")
	now := p.Tenant()
	if n := len(now.PKIs[0].Authorities); n != 3 || strings.Contains(string(now.Policy), "RFC822Name") || !strings.Contains(string(now.Policy), "1.2.3.9") {
		t.Errorf("%d CAs, %s", n, now.Policy)
	}
	p.Writes()
	p.must(p.run("-apply", "plan.json"), 0, "Nothing to do", "examples/audit")
	p.must(p.run(append(change, "-exit-code")...), 0, "Nothing to do")
	p.untouched()

	// The CA is trusted now, and somebody may rely on it.
	p.must(p.run("-undo", "plan.json"), 1, "LOCKED OUT BY THE SETTINGS", "-undo plan.json -allow-lockout")
	p.untouched()
	p.must(p.run("-undo", "plan.json", "-allow-lockout"), 0, "Taken back")
	now = p.Tenant()
	if strings.Contains(string(now.Policy), "1.2.3.9") || !strings.Contains(string(now.Policy), "RFC822Name") {
		t.Errorf("%s", now.Policy)
	}
	if left, err := filepath.Glob(filepath.Join(p.dir, "*undo*")); err != nil || len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// Who would be locked out stops the change when it is planned and when it is applied.
func TestLockout(t *testing.T) {
	t.Parallel()
	p := served(t, nil)
	change := about("-bind", "SKI=certificateUserIds")
	p.must(p.run(append(change, "-out", "plan.json")...), 1, "john@contoso.com  loses", "2 lose access", "Refused", "-out plan.json -allow-lockout")
	if _, err := os.Stat(filepath.Join(p.dir, "plan.json")); err == nil {
		t.Error("a refused plan was saved")
	}
	p.must(p.run(append(change, "-out", "plan.json", "-allow-lockout")...), 0, "ALLOWED BY -allow-lockout", "-apply plan.json -allow-lockout")
	p.must(p.run("-apply", "plan.json"), 1, "2 users lose access", "john@contoso.com  loses")
	p.untouched()
	p.must(p.run("-apply", "plan.json", "-allow-lockout"), 0, "Applied")
	if strings.Contains(string(p.Tenant().Policy), "PrincipalName") {
		t.Errorf("%s", p.Tenant().Policy)
	}

	p = served(t, nil)
	// CRLs that cannot be fetched from here hide nobody who loses access.
	p.must(p.run("-bind", "SKI=certificateUserIds", "-users", "users.jsonl"), 1, "john@contoso.com  loses", "2 lose access", "compared as if every CRL could be fetched")

	// Nobody's certificate at hand: what takes access away is not known.
	p.must(p.run("-rule", "1.2.3.9=multifactor"), 3, "no certificate of any user is at hand", "6 users of the tenant without a certificate at hand: what the change means to them is not known")
	// So it is with a list of users without certificates, in scope or not.
	p.write("names.jsonl", []byte(`{"userPrincipalName":"john@contoso.com"}`+"\n"))
	p.must(p.run("-rule", "1.2.3.9=multifactor", "-users", "names.jsonl", "-out", "names.json"), 3, "no certificate of any user is at hand", "1 user is in scope without a certificate at hand")
	p.must(p.run("-group", "11111111-0000-0000-0000-000000000000", "-users", "names.jsonl", "-out", "names.json"), 3, "no certificate of any user is at hand", "6 users of the tenant without a certificate at hand")
	// Groups that cannot be read: whom the method is for is not known.
	p = served(t, nil)
	p.Inject(t, graphtest.Fault{Kind: graphtest.Forbidden, Path: "/users/*/transitiveMemberOf/**", Times: -1})
	p.must(p.run(about("-rule", "1.2.3.9=multifactor")...), 3, "groups of users cannot be read", "it is not known whether the change takes access away")
	// Nobody can sign in yet: nobody can lose anything.
	p = served(t, func(in *graphtest.Tenant) { in.Policy = json.RawMessage(graphtest.DefaultPolicy) })
	p.must(p.run("-rule", "1.2.3.9=multifactor", "-enable"), 0, `~ state: "disabled" -> "enabled"`)
}

// A tenant that was changed since the plan was made is left alone.
func TestStale(t *testing.T) {
	t.Parallel()
	p := served(t, nil)
	p.must(p.run(about("-rule", "1.2.3.9=multifactor", "-out", "plan.json")...), 0)
	p.must(p.run(about("-rule", "1.2.3.8=multifactor", "-out", "other.json")...), 0)
	p.must(p.run("-apply", "other.json"), 0)
	p.Writes()
	p.must(p.run("-apply", "plan.json"), 2, "nothing was changed", "the tenant was changed since the plan was made", "1.2.3.8")
	p.untouched()
}

// The classic store is deleted and the program is killed before the new one is there.
// The next program says so, and one command puts it back.
func TestKilledWithoutClassicStore(t *testing.T) {
	t.Parallel()
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("the processes of this test are killed by signal")
	}
	for _, back := range []bool{true, false} {
		p := served(t, func(in *graphtest.Tenant) {
			in.Classic = []graphtest.ClassicAuthority{{Certificate: in.PKIs[0].Authorities[1].Certificate, CRLURL: in.PKIs[0].Authorities[1].CRLURL}}
		})
		var config signin.Config
		r := p.run(about("-rule", "1.2.3.9=multifactor", "-out", "first.json")...)
		var first struct {
			Plan struct{ Before json.RawMessage }
		}
		text, err := os.ReadFile(filepath.Join(p.dir, "first.json"))
		if err == nil {
			err = json.Unmarshal(text, &first)
		}
		if err == nil {
			config, err = signin.ParseConfig(first.Plan.Before)
		}
		if err != nil {
			t.Fatal(err, r.Stderr)
		}
		root := p.demo.Tenant.PKIs[0].Authorities[0]
		config.Trust.Classic.CertificateAuthorities = append(config.Trust.Classic.CertificateAuthorities,
			trust.ClassicAuthority{Certificate: root.Certificate, IsRootAuthority: true, CertificateRevocationListURL: root.CRLURL})
		text, err = json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		p.write("then.json", text)
		p.must(p.run(about("-then", "then.json", "-out", "plan.json")...), 0, `+ CA "Contoso Root CA" of the classic store`, "deleted and created again")

		p.Inject(t, graphtest.Fault{Kind: graphtest.Unavailable, Method: "POST", Path: "/organization/*/certificateBasedAuthConfiguration", Times: -1, RetryAfter: 4 * time.Minute})
		cmd := exec.Command(program, "-endpoint", p.URL+"/v1.0", "-apply", "plan.json")
		cmd.Dir, cmd.Env = p.dir, tenanttest.Environ(p.Server, graphtest.Token)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		programtest.Until(t, "the classic store is deleted", func() bool { return len(p.Tenant().Classic) == 0 })
		other := p.run(about("-rule", "1.2.3.9=multifactor")...)
		p.must(other, 0, "setup is changing the tenant "+p.demo.Tenant.ID+" at this moment")
		p.must(p.run("-apply", "first.json"), 2, "another setup is changing this tenant")
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		p.ClearFaults()
		if n := len(p.Tenant().Classic); n != 0 {
			t.Fatalf("%d CAs in the classic store: nothing was interrupted", n)
		}
		finish, putBack := "-apply "+filepath.Join(p.dir, "plan.json"), "-undo "+filepath.Join(p.dir, "plan.json")
		other = p.run(about("-rule", "1.2.3.9=multifactor")...)
		p.must(other, 0, "WARNING: setup was stopped in the middle of changing the tenant", finish, putBack)
		other = tenanttest.Run(t, p.Server, programtest.Other(t, "signins"), p.dir) // any program
		p.must(other, 0, "WARNING: setup was stopped in the middle of changing the tenant", finish, putBack)
		p.must(p.run("-apply", "first.json"), 2, "an earlier change of this tenant is not finished", finish, putBack)

		want := 2
		if back {
			want = 1
			if err := os.Remove(filepath.Join(p.dir, "plan.json")); err != nil { // there is a copy
				t.Fatal(err)
			}
			other = p.run(about("-rule", "1.2.3.9=multifactor")...)
			_, command, _ := strings.Cut(other.Stderr, "To put everything back as it was: go run ./examples/setup -endpoint "+p.URL+"/v1.0 -undo ")
			command, _, _ = strings.Cut(command, "\n")
			p.must(p.run("-undo", strings.Trim(strings.TrimSpace(command), "'")), 0, "Taken back")
		} else {
			p.must(p.run("-apply", "plan.json"), 0, "Applied")
		}
		if n := len(p.Tenant().Classic); n != want {
			t.Errorf("back %v: %d CAs in the classic store, want %d", back, n, want)
		}
		if other = p.run(about("-rule", "1.2.3.9=multifactor")...); other.Stderr != "" {
			t.Errorf("still warned: %s", other.Stderr)
		}
	}
}

// Wherever a run is killed, the plan is finished by the same command, or taken back.
func TestKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("it kills processes at many places")
	}
	// At each of its writes: the tenant does not get it, the answer is lost, or what the
	// program does afterwards.
	const writes, notArrived, answerLost, afterwards = 5, 0, 1, 2
	for kill := range 3 * writes {
		n, where := kill/3, kill%3
		t.Run(fmt.Sprintf("write %d %s", n+1, []string{notArrived: "does not arrive", answerLost: "has no answer", afterwards: "is done"}[where]), func(t *testing.T) {
			t.Parallel()
			d, err := graphtest.Demo(time.Now())
			if err != nil {
				t.Fatal(err)
			}
			issuing := d.Tenant.PKIs[0].Authorities[1]
			d.Tenant.Classic = []graphtest.ClassicAuthority{{Certificate: issuing.Certificate, CRLURL: issuing.CRLURL}}
			p := &place{t: t, dir: t.TempDir(), demo: d, Server: tenanttest.Serve(t, d.Tenant, graphtest.Options{})}
			p.ca("one.pem")
			p.ca("two.pem")
			r := p.run("-ca", "one.pem", "-crl-url", "http://crl.contoso.com/one.crl", "-ca", "two.pem", "-rule", "1.2.3.9=multifactor", "-out", "first.json", "-allow-lockout")
			p.must(r, 0)
			var file struct {
				Plan graph.TenantPlan `json:"plan"`
			}
			text, err := os.ReadFile(filepath.Join(p.dir, "first.json"))
			if err == nil {
				err = json.Unmarshal(text, &file)
			}
			if err != nil {
				t.Fatal(err)
			}
			wanted := file.Plan.After
			wanted.Trust.Classic.CertificateAuthorities = append(wanted.Trust.Classic.CertificateAuthorities, trust.ClassicAuthority{Certificate: d.Tenant.PKIs[0].Authorities[0].Certificate, IsRootAuthority: true})
			if text, err = json.Marshal(wanted); err != nil {
				t.Fatal(err)
			}
			p.write("then.json", text)
			p.must(p.run("-then", "then.json", "-out", "plan.json", "-allow-lockout"), 0)

			done := 0
			hold := p.Hold
			if where == answerLost {
				hold = p.HoldAnswers
			}
			held := hold(t, func(r *http.Request) bool {
				write := r.Method != "GET" && !strings.HasSuffix(r.URL.Path, "/$batch")
				if where == afterwards && done > n {
					return true
				}
				if write {
					done++
				}
				return where != afterwards && write && done > n
			})
			cmd := exec.Command(program, "-endpoint", p.URL+"/v1.0", "-apply", "plan.json", "-allow-lockout")
			cmd.Dir, cmd.Env = p.dir, tenanttest.Environ(p.Server, graphtest.Token)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-held.Arrived
			cmd.Process.Kill()
			cmd.Wait()
			held.Drop()

			flag, classic, cas := "-apply", 2, 4
			if (n+where)%3 == 0 {
				flag, classic, cas = "-undo", 1, 2
			}
			p.must(p.run(flag, "plan.json", "-allow-lockout"), 0)
			p.must(p.run(flag, "plan.json"), 0, "Nothing to do")
			now, n := p.Tenant(), 0
			for _, a := range now.PKIs[0].Authorities {
				if a.DeletedDateTime.IsZero() {
					n++
				}
			}
			if len(now.Classic) != classic || n != cas || strings.Contains(string(now.Policy), "1.2.3.9") != (flag == "-apply") {
				t.Errorf("%s: %d CAs in the classic store, %d in the other", flag, len(now.Classic), n)
			}
			if r := p.run("-rule", "1.2.3.8=multifactor"); strings.Contains(r.Stderr, "WARNING") {
				t.Errorf("still warned: %s", r.Stderr)
			}
		})
	}
}

// What fails on the way is finished by the same command.
func TestFailure(t *testing.T) {
	t.Parallel()
	p := served(t, nil)
	p.ca("cards.pem")
	p.must(p.run(about("-ca", "cards.pem", "-rule", "1.2.3.9=multifactor", "-out", "plan.json")...), 0)
	p.Inject(t, graphtest.Fault{Kind: graphtest.Forbidden, Method: "PATCH", Path: "/policies/**"})
	p.must(p.run("-apply", "plan.json"), 2, "the change is not finished\nsetup: To finish it: go run ./examples/setup", "Policy.ReadWrite.AuthenticationMethod")
	p.must(p.run("-apply", "plan.json"), 0, "Applied")
	p.Inject(t, graphtest.Fault{Kind: graphtest.Forbidden, Method: "DELETE", Path: "/**"}, graphtest.Fault{Kind: graphtest.Forbidden, Method: "PATCH", Path: "/policies/**"})
	p.must(p.run("-undo", "plan.json", "-allow-lockout"), 2)
	p.ClearFaults()
	p.must(p.run("-undo", "plan.json", "-allow-lockout"), 0, "Taken back")
}

// Another machine changes the tenant in the middle of a run: the change is not finished,
// and nothing says that it never began.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	p := served(t, nil)
	p.ca("cards.pem")
	p.must(p.run(about("-ca", "cards.pem", "-pki", "Cards", "-rule", "1.2.3.9=multifactor", "-out", "plan.json")...), 0)
	// The run reads the configuration three times, and again before it writes it.
	reads := 0
	held := p.Hold(t, func(r *http.Request) bool {
		if r.Method != "GET" || !strings.Contains(r.URL.Path, "/authenticationMethodConfigurations/") {
			return false
		}
		reads++
		return reads == 4
	})
	ran := make(chan programtest.Result)
	go func() { ran <- p.run("-apply", "plan.json") }()
	<-held.Arrived
	if now := p.Tenant(); len(now.PKIs) != 2 || len(now.PKIs[1].Authorities) != 1 {
		t.Fatalf("the run is not in its middle: %d PKIs", len(now.PKIs))
	}
	elsewhere := func(args ...string) programtest.Result {
		return programtest.Run(t, program, p.dir, append(tenanttest.Environ(p.Server, graphtest.Token), "XDG_CONFIG_HOME="+p.dir, "HOME="+p.dir, "AppData="+p.dir), append([]string{"-endpoint", p.URL + "/v1.0"}, args...)...)
	}
	p.must(elsewhere(about("-rule", "1.2.3.8=multifactor", "-out", "other.json")...), 0)
	p.must(elsewhere("-apply", "other.json"), 0)
	held.Release()
	r := <-ran
	p.must(r, 2, "the tenant was changed since the plan was made", "the change is not finished", "-undo ")
	if strings.Contains(r.Stderr, "nothing was changed") {
		t.Errorf("a CA was created: %s", r.Stderr)
	}
	// The next run changes nothing, says why, and leaves the way free for another plan.
	p.Writes()
	p.must(p.run("-apply", "plan.json"), 2, "nothing was changed", "1.2.3.8")
	p.untouched()
	p.must(p.run(about("-rule", "1.2.3.9=multifactor", "-out", "rest.json")...), 0)
	p.must(p.run("-apply", "rest.json"), 0, "Applied")
}

func TestThen(t *testing.T) {
	t.Parallel()
	p := served(t, nil)
	pki, err := trust.NewPKI("Cards", []*x509.Certificate{p.demo.Certificates["jane@contoso.com"]}[:0])
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(trust.PKIs{pki})
	if err != nil {
		t.Fatal(err)
	}
	p.write("pki.json", []byte(`{"publicKeyInfrastructure":`+string(text)+`,"certificateBasedAuthConfiguration":{"certificateAuthorities":[]}}`))
	p.must(p.run(about("-then", "pki.json")...), 1, `- PKI "Contoso PKI"`, "The classic store stays, with 1 CA", "jane@contoso.com   loses", "LOCKED OUT BY THE SETTINGS")
	p.must(p.run(about("-then", "pki.json", "-keep", "-delete-classic")...), 0, `+ PKI "Cards"`, `- CA "Contoso Old Root CA" of the classic store`, "6 unchanged")
	var out struct {
		Version  int
		TenantID string
		Changes  []struct{ Action, Object string }
		Counts   map[string]int
		Affected struct {
			Users []struct{ UserPrincipalName, Difference string }
		}
		Refused string
		Next    []struct{ Command string }
	}
	r := p.run(about("-then", "pki.json", "-json")...)
	if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil || r.Code != 1 || out.Version != 1 || out.TenantID != p.demo.Tenant.ID || out.Counts["delete"] != 1 ||
		len(out.Affected.Users) != 4 || out.Refused == "" || len(out.Next) != 1 {
		t.Errorf("%v, %+v\n%s", err, out, r.Stdout)
	}
	p.untouched()
}

// newUploadPlace has a service that downloads a bundle of any URL from the folder.
func newUploadPlace(t *testing.T) *place {
	d, err := graphtest.Demo(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return &place{t: t, dir: dir, demo: d, Server: tenanttest.Serve(t, d.Tenant, graphtest.Options{Fetch: func(_ context.Context, url string) ([]byte, error) {
		return os.ReadFile(filepath.Join(dir, filepath.Base(url)))
	}})}
}

// The new CAs are downloaded by the service, from where a person has published them.
func TestUpload(t *testing.T) {
	t.Parallel()
	p := newUploadPlace(t)
	p.ca("one.pem")
	p.ca("two.pem")
	args := []string{"-ca", "one.pem", "-ca", "two.pem", "-pki", "Cards", "-allow-lockout", "-bundle", "cas.p7b"}
	p.must(p.run(append(args, "-out", "plan.json")...), 0, "Publish cas.p7b at a URL that Entra reaches", "-apply plan.json -bundle cas.p7b -upload URL -allow-lockout")
	p.must(p.run(append(args, "-out", "other.json")...), 2, "cas.p7b")
	p.untouched()
	p.must(p.run("-apply", "plan.json", "-bundle", "cas.p7b", "-upload", "https://pki.contoso.com/cas.p7b", "-allow-lockout"), 0, "Writing: upload", "Applied")
	uploads := 0
	for _, w := range p.Writes() {
		if strings.HasSuffix(w.URL, "/upload") {
			uploads++
		}
	}
	if uploads != 1 {
		t.Errorf("%d uploads", uploads)
	}
	for _, args := range [][]string{{"-enable", "-bundle", "x.p7b"}, {"-apply", "plan.json", "-bundle", "cas.p7b"}, {"-apply", "plan.json", "-upload", "https://x/y.p7b"},
		{"-rule", "1.2.3.9=multifactor", "-allow-lockout", "-out", "third.json", "-bundle", "new.p7b"}} {
		if r := p.run(args...); r.Code != 2 {
			t.Errorf("%q: %+v", args, r)
		}
	}
}

// A run that goes on with an unfinished change and cannot even begin leaves the note of it.
func TestBundleMissing(t *testing.T) {
	t.Parallel()
	p := newUploadPlace(t)
	p.ca("one.pem")
	p.must(p.run("-ca", "one.pem", "-pki", "Cards", "-rule", "1.2.3.9=multifactor", "-allow-lockout", "-bundle", "cas.p7b", "-out", "plan.json"), 0)
	apply := func(bundle string) programtest.Result {
		return p.run("-apply", "plan.json", "-bundle", bundle, "-upload", "https://pki.contoso.com/cas.p7b", "-allow-lockout")
	}
	p.Inject(t, graphtest.Fault{Kind: graphtest.Forbidden, Method: "PATCH", Path: "/policies/**"})
	p.must(apply("cas.p7b"), 2, "the change is not finished")
	p.must(apply("gone.p7b"), 2, "gone.p7b")
	p.must(p.run("-rule", "1.2.3.8=multifactor"), 3, "WARNING: setup was stopped in the middle", "-undo ")
	p.ClearFaults()
	p.must(apply("cas.p7b"), 0, "Applied")
	if r := p.run("-rule", "1.2.3.8=multifactor"); strings.Contains(r.Stderr, "WARNING") {
		t.Errorf("still warned: %s", r.Stderr)
	}
}

// A second interrupt ends a run at once, and the note of the change stays.
func TestInterruptedTwice(t *testing.T) {
	t.Parallel()
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("a process is interrupted")
	}
	p := served(t, nil)
	p.must(p.run(about("-rule", "1.2.3.9=multifactor", "-out", "plan.json")...), 0)
	held := p.Hold(t, func(*http.Request) bool { return strings.Contains(string(p.Tenant().Policy), "1.2.3.9") })
	cmd := exec.Command(program, "-endpoint", p.URL+"/v1.0", "-apply", "plan.json")
	cmd.Dir, cmd.Env = p.dir, tenanttest.Environ(p.Server, graphtest.Token)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-held.Arrived
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	began := time.Now()
	for running := true; running; {
		cmd.Process.Signal(os.Interrupt) // the first is taken at some time, the next ends it
		select {
		case <-ended:
			running = false
		case <-time.After(200 * time.Millisecond):
		}
	}
	held.Drop()
	if d := time.Since(began); d > 20*time.Second {
		t.Errorf("it ended after %v", d)
	}
	p.must(p.run(about("-rule", "1.2.3.9=multifactor")...), 0, "WARNING: setup was stopped in the middle")
	p.must(p.run("-apply", "plan.json"), 0, "Nothing to do")
	if r := p.run(about("-rule", "1.2.3.9=multifactor")...); r.Stderr != "" {
		t.Errorf("still warned: %s", r.Stderr)
	}
}

// A plan of another tenant is refused, also where it would have nothing to do, and the note
// of that tenant's unfinished change stays.
func TestPlanOfAnotherTenant(t *testing.T) {
	t.Parallel()
	p, other := served(t, nil), served(t, func(in *graphtest.Tenant) { in.ID = "00000000-0000-4000-8000-00000000abcd" })
	p.ca("cards.pem")
	p.must(p.run("-ca", "cards.pem", "-pki", "Cards", "-rule", "1.2.3.9=multifactor", "-allow-lockout", "-out", "plan.json"), 0)
	plan := filepath.Join(p.dir, "plan.json")
	p.Inject(t, graphtest.Fault{Kind: graphtest.Forbidden, Method: "PATCH", Path: "/policies/**"})
	p.must(p.run("-apply", "plan.json", "-allow-lockout"), 2, "the change is not finished")
	p.ClearFaults()
	// Both programs keep their notes in one place.
	place := append(tenanttest.Environ(other.Server, graphtest.Token), tenanttest.Environ(p.Server, graphtest.Token)[len(os.Environ())+2:]...)
	for _, flag := range []string{"-undo", "-apply"} {
		r := programtest.Run(t, program, other.dir, place, "-endpoint", other.URL+"/v1.0", flag, plan, "-allow-lockout")
		other.must(r, 2, "nothing was changed", "is for the tenant "+p.demo.Tenant.ID+", and this is 00000000-0000-4000-8000-00000000abcd")
	}
	other.untouched()
	p.must(p.run("-rule", "1.2.3.8=multifactor"), 3, "WARNING: setup was stopped in the middle")
	p.must(p.run("-undo", "plan.json", "-allow-lockout"), 0, "Taken back")
}

// A plan that others could have changed would be theirs.
func TestPlanOfOthers(t *testing.T) {
	t.Parallel()
	p := served(t, nil)
	p.must(p.run(about("-rule", "1.2.3.9=multifactor", "-out", "plan.json")...), 0)
	if err := os.Chmod(filepath.Join(p.dir, "plan.json"), 0o666); err != nil {
		t.Fatal(err)
	}
	p.must(p.run("-apply", "plan.json"), 2, "plan.json")
	for name, text := range map[string]string{"empty.json": "", "other.json": "{}", "config.json": `{"x509Certificate":{}}`, "version.json": `{"plan":{"version":2}}`} {
		p.write(name, []byte(text))
		p.must(p.run("-apply", name), 2, name)
	}
	p.untouched()
}

func TestUsage(t *testing.T) {
	t.Parallel()
	p := served(t, nil)
	p.write("bad.json", []byte(`{"x":1}`))
	p.write("empty.jsonl", nil)
	for _, args := range [][]string{
		{}, {"x"}, {"-apply", "a", "-undo", "b"}, {"-apply", "nosuch.json"}, {"-apply", "a", "-out", "b"}, {"-then", "nosuch.json"}, {"-then", "bad.json"},
		{"-then", "bad.json", "-enable"}, {"-keep", "-enable"}, {"-enable", "-users", "empty.jsonl"}, {"-enable", "-users", "nosuch"}, {"-enable", "-users", "users.jsonl", "-manifest", "x"},
		{"-bind", "SKI=userPrincipalName"}, {"-bind", "SKI"}, {"-rule", "1.2.3=both"}, {"-rule", "x"}, {"-rule", "=multifactor"}, {"-rule", " =multifactor"}, {"-group", ""}, {"-group", "CBA users"}, {"-crl-url", "http://x/y.crl"}, {"-ca", "nosuch.pem"}, {"-ca", "users.jsonl"},
		{"-enable", "-require", "mfa"},
		{"-rule", "1.2.3.9=multifactor", "-users", "users.jsonl", "-out", "p.json", "-html", "./p.json", "-allow-lockout"}, {"-enable", "-out", "p.json", "-bundle", "p.json"},
		{"-rule", "1.2.3.9=multifactor", "-users", "users.jsonl", "-html", "users.jsonl"}, {"-then", "bad.json", "-html", "bad.json"},
	} {
		if r := p.run(args...); r.Code != 2 || r.Stdout != "" || r.Stderr == "" {
			t.Errorf("%q: %+v", args, r)
		}
	}
	p.untouched()
	if text, err := os.ReadFile(filepath.Join(p.dir, "bad.json")); err != nil || string(text) != `{"x":1}` {
		t.Errorf("a file that is read was replaced: %s, %v", text, err)
	}
	// audit writes no snapshot of a tenant in a file.
	if r := programtest.Run(t, program, p.dir, nil, "-tenant", "bad.json", "-then", "nosuch.json"); r.Code != 2 || strings.Contains(r.Stderr, "-snapshot") {
		t.Errorf("%+v", r)
	}
	for _, args := range [][]string{{"-out", "plan.json", "-enable"}, {"-apply", "plan.json"}, {"-undo", "plan.json"}} {
		if r := programtest.Run(t, program, p.dir, nil, args...); r.Code != 2 || !strings.Contains(r.Stderr, "demonstration") {
			t.Errorf("%q: %+v", args, r)
		}
	}
}

func TestFIPSOnly(t *testing.T) {
	t.Parallel()
	if r := programtest.FIPSOnly(t, program, t.TempDir()); r.Code != 1 || !strings.Contains(r.Stdout, "2 lose access") {
		t.Errorf("%+v", r)
	}
}

// What people see, at two widths and piped.
func TestScreens(t *testing.T) {
	t.Parallel()
	for _, columns := range []int{0, 80, 120} {
		r := programtest.Run(t, program, t.TempDir(), append(os.Environ(), fmt.Sprintf("COLUMNS=%d", columns)))
		programtest.Screen(t, "demonstration", columns, r, nil)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	programtest.Full(t, program, t.TempDir(), nil)
	programtest.Full(t, program, t.TempDir(), nil, "-json")
}

// The page of a plan is for those who have to agree: what changes and who is affected, and
// nothing that the plan does not write.
func TestPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := programtest.Run(t, program, dir, nil, "-html", "change.html")
	if r.Code != 1 { // the demonstration would lock somebody out
		t.Fatalf("%+v", r)
	}
	text, err := os.ReadFile(filepath.Join(dir, "change.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"What the change writes", "Who is affected", "2 users lose access: AADSTS", "john@contoso.com", "Contoso Card CA"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, other := range []string{"systemCredentialPreferences", "domains"} {
		if strings.Contains(string(text), other) {
			t.Errorf("the page has %s, which the plan does not write", other)
		}
	}
	if r := programtest.Run(t, program, dir, nil, "-html", "x.html", "-tenant", "t", "-apply", "plan.json"); r.Code != 2 || !strings.Contains(r.Stderr, "-html") {
		t.Errorf("%+v", r)
	}
}
