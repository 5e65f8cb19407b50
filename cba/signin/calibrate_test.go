package signin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
)

// questions are those that a calibration can settle.
var questions = []string{"2.1", "2.4", "2.7", "3.2", "3.3", "4.5", "9.2", "9.3", "9.3-bits", "9.4", "9.6", "9.9", "9.10", "9.11", "9.13", "9.14", "9.15",
	"9.23", "9.24", "9.26", "9.27", "9.27-long", "9.28", "9.31", "9.33", "9.34", "9.37", "9.38", "9.53"}

// turned are options under which the other reading of one question holds.
func turned(id string, o signin.Options) signin.Options {
	o.Calibration = signin.Calibration{Readings: []signin.Reading{{ID: id, Result: signin.Contradicted, OtherSignIns: 7, OtherUsers: 5}}}
	return o
}

// asked are questions whose other reading gives no verdict.
var asked = []string{"4.5", "9.31"}

// otherwise is a tenant for which the other reading of one question holds.
func otherwise(t *testing.T, id string, config signin.Config, o signin.Options) *signin.Tenant {
	t.Helper()
	config = config.Clone()
	switch id {
	case "4.5":
		config.Policy.CertificateAuthorityScopes = slices.DeleteFunc(config.Policy.CertificateAuthorityScopes, func(s policy.AuthorityScope) bool {
			return s.PublicKeyInfrastructureIdentifier == "Contoso PKI" // where no CA is
		})
	case "9.31":
		config.Policy.AuthenticationMode.Rules = slices.DeleteFunc(config.Policy.AuthenticationMode.Rules, func(r policy.Rule) bool { return r.Type == policy.IssuerSubject })
	default:
		o = turned(id, o)
	}
	tenant, err := config.Compile(o)
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

// worldFiles are the certificates and lists of the cases.
func worldFiles(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	entries, err := os.ReadDir(worldFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(worldFolder, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// A telling case has another result under the other reading of a question.
type telling struct {
	name, id    string
	config      signin.Config
	request     signin.Request
	best, other signin.Answer
}

// tellingCases are those of testdata, for every question.
func tellingCases(t *testing.T) []telling {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	told.Do(func() { told.list = tellCases(t) })
	return told.list
}

var told struct {
	sync.Once
	list []telling
}

func tellCases(t *testing.T) (list []telling) {
	files := worldFiles(t)
	names, err := filepath.Glob(filepath.Join("testdata", "cases", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c testCase
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		c.Options = slices.DeleteFunc(c.Options, func(o string) bool { return o != "SkipRevocation" })
		tenant, request, err := c.load(files)
		if err != nil {
			t.Fatal(err)
		}
		config, err := signin.ParseConfig(c.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		best, err := tenant.Decide(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		options := signin.Options{CRLs: caseSource{files, c.Lists, new(sync.Map)}, SkipRevocation: slices.Contains(c.Options, "SkipRevocation")}
		for _, id := range questions {
			other, err := otherwise(t, id, config, options).Decide(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			if best.Outcome != signin.Undecided && other.Outcome != signin.Undecided && (best.Outcome != other.Outcome || best.SignedIn && best.AuthenticationMode != other.AuthenticationMode) {
				list = append(list, telling{strings.TrimSuffix(filepath.Base(name), ".json"), id, config, request, best, other})
			}
		}
	}
	return list
}

// observed is a sign-in by an answer, of the nth user.
func observed(n int, r signin.Request, a signin.Answer) signin.Observation {
	user := *r.User
	user.ID = fmt.Sprintf("user %d", n)
	r.User = &user
	o := signin.Observation{Request: r, SignedIn: a.SignedIn, Code: a.Code}
	if a.SignedIn {
		o.Mode = a.AuthenticationMode
	}
	return o
}

func sequence(list []signin.Observation) iter.Seq2[signin.Observation, error] {
	return func(yield func(signin.Observation, error) bool) {
		for _, o := range list {
			if !yield(o, nil) {
				return
			}
		}
	}
}

func calibrate(t *testing.T, config signin.Config, list []signin.Observation) signin.Calibration {
	t.Helper()
	tenant, err := config.Compile(signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := tenant.Calibrate(t.Context(), sequence(list))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func resultOf(c signin.Calibration, id string) signin.Result {
	for _, r := range c.Readings {
		if r.ID == id {
			return r.Result
		}
	}
	return 0
}

// Logs that were made under each reading of each question are told apart, with noise
// too, and nothing else is settled wrongly.
func TestCalibrate(t *testing.T) {
	const users = 12
	counted := map[string][2]int{}
	random := rand.New(rand.NewPCG(1, 2))
	cases := tellingCases(t)
	for _, c := range cases {
		for truth, answer := range []signin.Answer{c.best, c.other} {
			want := []signin.Result{signin.Confirmed, signin.Contradicted}[truth]
			wrong := []signin.Answer{c.other, c.best}[truth]
			for _, kind := range []string{"clean", "noise", "another policy"} {
				var list []signin.Observation
				for n := range users {
					list = append(list, observed(n, c.request, answer))
				}
				switch kind {
				case "noise":
					list[random.IntN(users)] = observed(users, c.request, wrong)
				case "another policy":
					for n := range 3 * users {
						o := observed(users+n, c.request, signin.Answer{Code: "AADSTS53003"})
						list = append(list, o)
					}
				}
				got := calibrate(t, c.config, list)
				for _, r := range got.Readings {
					if r.ID == c.id && r.Result == want {
						counts := counted[c.id]
						counts[truth]++
						counted[c.id] = counts
						continue
					}
					if r.Result == signin.Contradicted || r.ID == c.id && r.Result == signin.Confirmed {
						t.Errorf("%s, the log is made with %v of %s, %s: %+v", c.name, want, c.id, kind, r)
					}
				}
			}
			// Few users are no proof, however often they sign in.
			var few []signin.Observation
			for n := range 100 {
				few = append(few, observed(n%2, c.request, answer))
			}
			if got := resultOf(calibrate(t, c.config, few), c.id); got > signin.Unsettled {
				t.Errorf("%s, %s: two users settle it: %v", c.name, c.id, got)
			}
		}
		// A tenant that was changed in between.
		var both []signin.Observation
		for n := range users {
			both = append(both, observed(n, c.request, c.best), observed(n, c.request, c.other))
		}
		if got := resultOf(calibrate(t, c.config, both), c.id); got == signin.Confirmed || got == signin.Contradicted {
			t.Errorf("%s, %s: a log that says both is %v", c.name, c.id, got)
		}
	}
	// CRLs that could not be downloaded are no evidence, so 9.6 is never contradicted;
	// and wherever 9.26 refuses, 9.14 explains it as well, and 9.31 what 2.4 allows.
	for _, id := range questions {
		n := counted[id]
		if n[0] == 0 || n[1] == 0 && id != "9.6" && id != "9.26" && id != "2.4" {
			t.Errorf("%s: %d logs of the best reading are told, %d of the other", id, n[0], n[1])
		}
	}
	t.Logf("%d cases, told apart: %v", len(cases), counted)
}

// A settled reading is no assumption that changes a verdict, and the verdict says why.
func TestSettled(t *testing.T) {
	for _, c := range tellingCases(t) {
		for _, result := range []signin.Result{signin.Confirmed, signin.Contradicted} {
			o := signin.Options{SkipRevocation: !slices.Contains([]string{"9.6", "9.10", "9.11"}, c.id)}
			reading := signin.Reading{ID: c.id, Result: result, SignIns: 7, Users: 5, OtherSignIns: 9, OtherUsers: 6}
			o.Calibration.Readings = []signin.Reading{reading}
			tenant, err := c.config.Compile(o)
			if err != nil {
				t.Fatal(err)
			}
			v := checkVerdict(t, tenant, c.request)
			number, _, _ := strings.Cut(c.id, "-")
			i := slices.IndexFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == number })
			if i < 0 {
				if o.SkipRevocation && v.Outcome != signin.Undecided {
					t.Errorf("%s, %s %v: the verdict does not name it", c.name, c.id, result)
				}
				continue
			}
			a := v.Assumptions[i]
			if c.id == "9.3" && result == signin.Confirmed || c.id == "9.3-bits" { // the question has a third reading
				continue
			}
			says := map[signin.Result]string{signin.Confirmed: "confirmed by 7 sign-ins of 5 users", signin.Contradicted: "confirmed by 9 sign-ins of 6 users"}[result]
			if result == signin.Contradicted && slices.Contains(asked, c.id) {
				if !a.ChangesVerdict || !strings.Contains(a.Text, "9 sign-ins of 6 users in the log contradict this") {
					t.Errorf("%s, %s %v: %+v", c.name, c.id, result, a)
				}
				continue
			}
			if a.ChangesVerdict || !strings.Contains(a.Text, says) {
				t.Errorf("%s, %s %v: %+v", c.name, c.id, result, a)
			}
		}
	}
}

// Under any readings together a verdict holds together: its answer is that of Decide, a
// step fails if and only if it refuses, and confirmed readings give the default answer.
func TestSettledTogether(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what takes long")
	}
	cases, files := caseFiles(t)
	random := rand.New(rand.NewPCG(7, 8))
	for name, c := range cases {
		c.Options = slices.DeleteFunc(c.Options, func(o string) bool { return o != "SkipRevocation" })
		plain, r, err := c.load(files)
		if err != nil {
			t.Fatal(err)
		}
		confirmed, _, err := c.loadWith(files, allConfirmed())
		if err != nil {
			t.Fatal(err)
		}
		a, b := checkVerdict(t, plain, r), checkVerdict(t, confirmed, r)
		if a.Answer() != b.Answer() {
			t.Errorf("%s: %+v, with all readings confirmed %+v", name, a.Answer(), b.Answer())
		}
		for _, a := range b.Assumptions {
			if a.ChangesVerdict && slices.Contains(questions, a.ID) {
				t.Errorf("%s: %+v changes the verdict although it is confirmed", name, a)
			}
		}
		for range 3 {
			log := allConfirmed()
			for i := range log.Readings {
				r := &log.Readings[i]
				r.Result = []signin.Result{signin.Unsettled, signin.Confirmed, signin.Contradicted, signin.Conflicting}[random.IntN(4)]
				r.OtherSignIns, r.OtherUsers = 8, 8
			}
			mixed, _, err := c.loadWith(files, log)
			if err != nil {
				t.Fatal(err)
			}
			if checkVerdict(t, mixed, r); t.Failed() {
				t.Fatalf("%s: %+v", name, log)
			}
		}
	}
}

// What the input does not have is not settled by a log.
func TestSettledIsNotMissing(t *testing.T) {
	base := exportedFile(t, "tenant-base.json")
	for path, changes := range map[string]bool{"": false, "x509Certificate/crlValidationConfiguration": true} {
		text := base
		if path != "" {
			text = edited(t, base, path, nil)
		}
		config, err := signin.ParseConfig(text)
		if err != nil {
			t.Fatal(err)
		}
		tenant, err := config.Compile(signin.Options{Calibration: allConfirmed()})
		if err != nil {
			t.Fatal(err)
		}
		_, user, cert := tenantAndUser(t, base, exportedFile(t, "user.json"))
		v := checkVerdict(t, tenant, signin.Request{User: user, Certificate: cert, At: time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)})
		i := slices.IndexFunc(v.Assumptions, func(a signin.Assumption) bool { return a.ID == "9.10" })
		if i < 0 || v.Assumptions[i].ChangesVerdict != changes || v.Outcome != signin.SignedIn {
			t.Errorf("without %q: %v, %+v", path, v.Outcome, v.Assumptions)
		}
	}
}

// A log that does not fit the tenant settles nothing.
func TestCalibrateNoisy(t *testing.T) {
	for _, c := range tellingCases(t) {
		if !c.best.SignedIn || c.id == "9.27-long" {
			continue
		}
		var list []signin.Observation
		for n := range 30 {
			list = append(list, observed(n, c.request, c.best), observed(100+n, c.request, signin.Answer{Code: "AADSTS500176"}))
		}
		got := calibrate(t, c.config, list)
		if got.Noise < signin.MaxNoise || got.Unexplained != 30 {
			t.Errorf("%s, %s: noise %v, %d unexplained", c.name, c.id, got.Noise, got.Unexplained)
		}
		for _, r := range got.Readings {
			if r.Result != signin.Unsettled {
				t.Errorf("%s: %+v", c.name, r)
			}
		}
	}
}

// A few accounts that were changed do not keep a log from settling a question on which
// every sign-in bears.
func TestCalibrateFewStrange(t *testing.T) {
	for _, c := range tellingCases(t) {
		var list []signin.Observation
		for n := range 60 {
			list = append(list, observed(n, c.request, c.best))
		}
		for n := range 4 {
			list = append(list, observed(100+n, c.request, signin.Answer{Code: "AADSTS1001000"}))
		}
		if got := calibrate(t, c.config, list); resultOf(got, c.id) != signin.Confirmed || got.Noise > 0.1 {
			t.Errorf("%s, %s: %+v", c.name, c.id, got)
		}
	}
}

// Sign-ins of chance settle nothing: in 150 logs of noise alone no reading is confirmed
// or contradicted.
func TestCalibrateChance(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	cases := tellingCases(t)
	for range 150 {
		c := cases[random.IntN(len(cases))]
		var list []signin.Observation
		for n := range 40 {
			list = append(list, observed(n, c.request, []signin.Answer{c.best, c.other}[random.IntN(2)]))
		}
		if got := resultOf(calibrate(t, c.config, list), c.id); got == signin.Confirmed || got == signin.Contradicted {
			t.Errorf("%s, %s: %v by chance", c.name, c.id, got)
		}
	}
}

func TestCalibrateErrors(t *testing.T) {
	c := tellingCases(t)[0]
	tenant, err := c.config.Compile(signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		tenant *signin.Tenant
		ctx    context.Context
		list   iter.Seq2[signin.Observation, error]
		want   error
	}{
		"no tenant":  {nil, t.Context(), nil, signin.NoTenant},
		"no context": {tenant, nil, nil, signin.NoContext},
		"no user":    {tenant, t.Context(), sequence([]signin.Observation{{}}), signin.NoUser},
		"the list's": {tenant, t.Context(), func(yield func(signin.Observation, error) bool) { yield(signin.Observation{}, broken) }, broken},
		"none":       {tenant, t.Context(), nil, nil},
	} {
		got, err := test.tenant.Calibrate(test.ctx, test.list)
		if !errors.Is(err, test.want) || got.SignIns != 0 || got.Readings == nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestParseCalibration(t *testing.T) {
	c := tellingCases(t)[0]
	var list []signin.Observation
	for n := range 12 {
		list = append(list, observed(n, c.request, c.other))
	}
	made := calibrate(t, c.config, list)
	text, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	back, err := signin.ParseCalibration(text)
	again, _ := json.Marshal(back)
	if err != nil || string(again) != string(text) {
		t.Errorf("%v: %s is read as %s", err, text, again)
	}
	for text, want := range map[string]signin.Reason{
		``:                 signin.Malformed,
		`[]`:               signin.Malformed,
		`{}`:               signin.Malformed,
		`{"readings":[1]}`: signin.Malformed,
		`{"readings":[{"id":"9.99","result":"confirmed","signIns":1,"users":1}]}`:           signin.Malformed,
		`{"readings":[{"id":"9.15"}]}`:                                                      signin.Malformed,
		`{"readings":[{"id":"9.15","result":"perhaps"}]}`:                                   signin.Malformed,
		`{"readings":[{"id":"9.15","result":"confirmed","otherSignIns":5,"otherUsers":5}]}`: signin.Malformed,
		`{"readings":[{"id":"9.15","result":"open"},{"id":"9.15","result":"open"}]}`:        signin.Malformed,
		`{"readings":[` + strings.Repeat(" ", signin.MaxConfig) + `]}`:                      signin.TooLarge,
	} {
		if _, err := signin.ParseCalibration([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.60s: %v, want %v", text, err, want)
		}
	}
	if _, err := c.config.Compile(signin.Options{Calibration: signin.Calibration{Readings: []signin.Reading{{ID: "1.1"}}}}); !errors.Is(err, signin.Malformed) {
		t.Errorf("an unknown question compiles: %v", err)
	}
}
