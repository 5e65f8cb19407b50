package main_test

import (
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/examples/internal/tenant/tenanttest"
)

// A company has users whose certificates have an old name, so that their principal
// name binds nobody and only the key identifier does: on them question 9.15 bears.
type company struct {
	tenant graphtest.Tenant
	config signin.Config
	certs  []*x509.Certificate // of the users, who are the last of the tenant
	first  int
	dir    string // with a file for each certificate
}

const renamed = 14

func newCompany(t *testing.T) *company {
	t.Helper()
	d := demo(t)
	c := &company{tenant: d.Tenant, first: len(d.Tenant.Users), dir: t.TempDir()}
	name, err := dn.Parse("CN=Renamed Users CA")
	if err != nil {
		t.Fatal(err)
	}
	ca, err := cba.NewRoot(t.Context(), cba.Authority{Name: name, KeyType: cba.P256})
	if err != nil {
		t.Fatal(err)
	}
	c.tenant.PKIs[0].Authorities = append(c.tenant.PKIs[0].Authorities, graphtest.NewAuthority(ca.CACertificates()[0]))
	for n := range renamed {
		key, err := cba.P256.Generate()
		if err != nil {
			t.Fatal(err)
		}
		cert, err := ca.Issue(t.Context(), key.Public(), cba.Subject{UPN: fmt.Sprintf("old%d@contoso.com", n)}, cba.Profile{})
		if err != nil {
			t.Fatal(err)
		}
		id, err := certuserid.FromCertificate(cert, certuserid.SKI)
		if err != nil {
			t.Fatal(err)
		}
		c.certs = append(c.certs, cert)
		u := graphtest.User{ID: fmt.Sprintf("00000000-0000-4000-8000-00000000aa%02x", n), UserPrincipalName: fmt.Sprintf("new%d@contoso.com", n), CertificateUserIDs: []string{id.String()}}
		c.tenant.Users = append(c.tenant.Users, u)
		c.tenant.Groups[1].Members = append(c.tenant.Groups[1].Members, u.ID)
		if err := os.WriteFile(filepath.Join(c.dir, fmt.Sprintf("%d.pem", n)), cba.EncodeCertificates(cert), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := tenanttest.Serve(t, c.tenant, graphtest.Options{})
	client, err := graph.NewClient(graphtest.StaticToken(graphtest.Token), graph.Options{Endpoint: server.URL + "/v1.0", Transport: server.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	if c.config, err = client.Tenant(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// signIn adds the rows of a sign-in of a user, as the readings give it.
func (c *company) signIn(t *testing.T, user int, readings policy.Readings, at time.Time) {
	t.Helper()
	rules, err := c.config.Compile(signin.Options{Policy: readings, SkipRevocation: true})
	if err != nil {
		t.Fatal(err)
	}
	u, cert := c.tenant.Users[c.first+user], c.certs[user]
	account := policy.User{ID: u.ID, UserPrincipalName: u.UserPrincipalName, MemberOf: []policy.DirectoryObject{{ID: c.tenant.Groups[1].ID}}}
	account.AuthorizationInfo.CertificateUserIDs = u.CertificateUserIDs
	answer, err := rules.Decide(t.Context(), signin.Request{User: &account, Certificate: cert, At: at})
	if err != nil {
		t.Fatal(err)
	}
	code := 0
	fmt.Sscanf(answer.Code, "AADSTS%d", &code)
	c.row(u, cert, user, code, at)
}

func (c *company) row(u graphtest.User, cert *x509.Certificate, user, code int, at time.Time) {
	details := []graphtest.KeyValue{{Key: "User certificate subject name", Value: "CN=any"}}
	if user%2 == 0 {
		id, _ := certuserid.FromCertificate(cert, certuserid.SHA1PublicKey)
		details = append(details, graphtest.KeyValue{Key: "User certificate thumbprint", Value: strings.ToUpper(id.Value())})
	} else {
		details[0].Value = cert.Subject.String()
		details = append(details, graphtest.KeyValue{Key: "User certificate serial number", Value: hex.EncodeToString(cert.SerialNumber.Bytes())})
	}
	if code == 0 {
		details = append(details, graphtest.KeyValue{Key: "User certificate authentication level", Value: "singleFactorAuthentication"})
	}
	row := graphtest.SignIn{CreatedDateTime: at, CorrelationID: fmt.Sprintf("%s %v", u.ID, at.UnixNano()), UserID: u.ID, UserPrincipalName: u.UserPrincipalName, ErrorCode: 50019, Processing: details}
	end := row
	end.ErrorCode, end.CreatedDateTime, end.Processing = code, at.Add(10*time.Second), nil
	c.tenant.SignIns = append(c.tenant.SignIns, row, end)
}

// readings runs the program, and returns its result for question 9.15 and the file.
func (c *company) readings(t *testing.T) (result string, file []byte, out string) {
	t.Helper()
	s := tenanttest.Serve(t, c.tenant, graphtest.Options{})
	dir := t.TempDir()
	r := tenanttest.Run(t, s, program, dir, "-certs", c.dir, "-write-readings", "readings.json")
	if r.Code != 0 {
		t.Fatalf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	file, err := os.ReadFile(filepath.Join(dir, "readings.json"))
	if err != nil {
		t.Fatal(err)
	}
	calibration, err := signin.ParseCalibration(file)
	if err != nil {
		t.Fatal(err)
	}
	result = "none"
	for _, reading := range calibration.Readings {
		if reading.ID == "9.15" {
			result = reading.Result.String()
		} else if reading.Result == signin.Contradicted {
			t.Errorf("%+v is settled wrongly", reading)
		}
	}
	return result, file, r.Stdout
}

// Logs of a tenant of graphtest, made under either reading, are told apart.
func TestReadings(t *testing.T) {
	t.Parallel()
	stop := policy.Readings{StopAtMismatch: true}
	now := time.Now().Add(72 * time.Hour) // the certificates are of today
	random := rand.New(rand.NewPCG(5, 6))
	for name, test := range map[string]struct {
		make func(t *testing.T, c *company)
		want string
	}{
		"the next binding is tried": {func(t *testing.T, c *company) {
			for n := range renamed {
				c.signIn(t, n, policy.Readings{}, now)
			}
		}, "confirmed"},
		"no other is tried": {func(t *testing.T, c *company) {
			for n := range renamed {
				c.signIn(t, n, stop, now)
			}
		}, "contradicted"},
		"no other is tried, with noise": {func(t *testing.T, c *company) {
			odd := random.IntN(renamed)
			for n := range renamed {
				if n == odd {
					c.signIn(t, n, policy.Readings{}, now) // was renamed after that
				} else {
					c.signIn(t, n, stop, now)
				}
				c.row(c.tenant.Users[c.first+n], c.certs[n], n, []int{50057, 53003, 50140, 500173}[n%4], now.Add(time.Minute))
			}
		}, "contradicted"},
		"the tenant was changed": {func(t *testing.T, c *company) {
			for n := range renamed {
				c.signIn(t, n, stop, now.Add(-48*time.Hour))
				c.signIn(t, n, policy.Readings{}, now)
			}
		}, "conflicting"},
		"refused, then a password": {func(t *testing.T, c *company) {
			for n := range renamed {
				c.signIn(t, n, stop, now)
				row := c.tenant.SignIns[len(c.tenant.SignIns)-1]
				row.CreatedDateTime, row.ErrorCode = now.Add(time.Minute), 0
				row.Details = []graphtest.AuthenticationDetail{{Method: "Password", Succeeded: true}}
				c.tenant.SignIns = append(c.tenant.SignIns, row)
			}
		}, "none"},
		"refused, then a password, as v1.0 tells it": {func(t *testing.T, c *company) {
			for n := range renamed {
				c.signIn(t, n, stop, now)
				row := c.tenant.SignIns[len(c.tenant.SignIns)-1]
				row.CreatedDateTime, row.ErrorCode = now.Add(time.Minute), 0
				c.tenant.SignIns = append(c.tenant.SignIns, row)
			}
		}, "none"},
		"with the methods of every row": {func(t *testing.T, c *company) {
			for n := range renamed {
				c.signIn(t, n, policy.Readings{}, now)
				c.tenant.SignIns[len(c.tenant.SignIns)-1].Details = []graphtest.AuthenticationDetail{{Method: "X.509 Certificate", Succeeded: true}}
			}
		}, "confirmed"},
		"one user, many times": {func(t *testing.T, c *company) {
			for n := range 50 {
				c.signIn(t, 3, stop, now.Add(time.Duration(n)*time.Minute))
			}
		}, "open"},
		"disabled accounts": {func(t *testing.T, c *company) {
			for n := range renamed {
				c.signIn(t, n, policy.Readings{}, now)
				c.tenant.Users[c.first+n].Disabled = true
			}
		}, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCompany(t)
			test.make(t, c)
			result, file, out := c.readings(t)
			if result != test.want {
				t.Errorf("9.15 is %s, want %s\n%s", result, test.want, out)
			}
			if test.want == "none" {
				return
			}
			if !strings.Contains(out, "READINGS") || !strings.Contains(out, "9.15") {
				t.Errorf("not printed:\n%s", out)
			}
			// By these readings the same log is as expected.
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "readings.json"), file, 0o600); err != nil {
				t.Fatal(err)
			}
			s := tenanttest.Serve(t, c.tenant, graphtest.Options{})
			a := parse(t, tenanttest.Run(t, s, program, dir, "-certs", c.dir, "-readings", "readings.json", "-json"))
			if settled := test.want == "contradicted"; settled && len(a.Unexpected) > 9 { // the odd one, and the refusals of other policies
				t.Errorf("%d of %d unexpected with the readings of the log", len(a.Unexpected), a.Known)
			}
		})
	}
}

func TestReadingsCommandLine(t *testing.T) {
	t.Parallel()
	s := tenanttest.Serve(t, demo(t).Tenant, graphtest.Options{})
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"-write-readings", "r.json"}, "-certs"},
		{[]string{"-readings", "none.json"}, "none.json"},
		{[]string{"-certs", "none"}, "none"},
	} {
		r := tenanttest.Run(t, s, program, t.TempDir(), test.args...)
		if r.Code != 2 || !strings.Contains(r.Stderr, test.says) {
			t.Errorf("%q: exit status %d, %s", test.args, r.Code, r.Stderr)
		}
	}
}
