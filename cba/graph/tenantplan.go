package graph

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/signin"
	"example.com/entracba/cba/snapshot"
	"example.com/entracba/cba/trust"
)

// A TenantPlan is a planned change of all settings that decide a sign-in with a
// certificate: both trust stores and the method configuration.
//
// Its JSON is what has to be kept of it: the tenant, when the plan was made, and the
// settings before and after. It is the plan, the backup and the way back in one file;
// the other fields are computed from it when it is read.
type TenantPlan struct {
	TenantID      string
	Made          time.Time
	Before, After signin.Config
	// Trust, Classic and Policy are the changes of the three parts. Classic are steps
	// without a PKI: the service has no update for that store, so any step means that
	// the whole store is deleted and created again.
	Trust   TrustPlan
	Classic []TrustStep
	Policy  PolicyPlan
}

// Empty reports whether there is nothing to do.
func (p TenantPlan) Empty() bool {
	return p.Trust.Empty() && len(p.Classic) == 0 && p.Policy.Empty()
}

// String returns the changes, one after the other, trust stores first.
func (p TenantPlan) String() string {
	var parts []string
	for _, s := range slices.Concat(p.Trust.Steps, p.Classic) {
		parts = append(parts, s.String())
	}
	if !p.Policy.Empty() {
		parts = append(parts, p.Policy.String())
	}
	return strings.Join(parts, "\n")
}

// LocksOut returns findings for what takes access away from users as far as the
// settings alone tell: a CA that has not expired goes from both stores, the method is
// switched off, or the settings after the change have an error that keeps users out
// and that they did not have before. It is empty if the method is not enabled before the
// change, because nobody can sign in then. For what happens to each user see
// [signin.Compare].
func (p TenantPlan) LocksOut() lint.Findings {
	if p.Before.Policy.State != policy.Enabled {
		return nil
	}
	var locks lint.Findings
	if p.After.Policy.State != policy.Enabled {
		locks = append(locks, disables(p.Before.Policy.State))
	}
	for _, s := range p.Classic {
		cert, err := x509.ParseCertificate(s.Authority.Certificate)
		if s.Action != RemoveAuthority || err == nil && p.Made.After(cert.NotAfter) || trusted(p.After.Trust, s.Authority.Certificate) {
			continue
		}
		locks = append(locks, deletesCA.At("/certificateBasedAuthConfiguration", "classic store",
			"the CA %q is deleted from the classic store: users whose certificates it issued can no longer sign in", s.Authority.DisplayName))
	}
	for _, gone := range p.Trust.gone {
		if !trusted(p.After.Trust, gone.authority.Certificate) {
			locks = append(locks, gone.finding)
		}
	}
	had := map[string]bool{}
	for _, f := range p.Before.Findings(p.Made) {
		had[f.Code+f.What] = true
	}
	after := p.After
	if len(p.Classic) > 0 {
		after.Trust.Classic = unexpired(after.Trust.Classic, p.Made)
	}
	for _, f := range after.Findings(p.Made) {
		if f.Effect == lint.LocksOut && f.Severity == lint.Error && !had[f.Code+f.What] {
			locks = append(locks, f)
		}
	}
	return locks
}

// trusted reports whether one of the stores has a CA.
func trusted(c trust.Config, der []byte) bool {
	return slices.ContainsFunc(c.PKIs, func(p trust.PKI) bool { return hasCertificate(p, der) }) ||
		slices.ContainsFunc(c.Classic.CertificateAuthorities, func(a trust.ClassicAuthority) bool { return bytes.Equal(a.Certificate, der) })
}

// Bundle returns the new CAs of a PKI as a .p7b, for [TenantOptions.UploadURL]: the service
// takes one bundle at a time, so the new CAs must all be of one PKI. The error is
// [Invalid].
func (p TenantPlan) Bundle() ([]byte, error) {
	var pki string
	var certs []*x509.Certificate
	for _, s := range p.Trust.Steps {
		if s.Action != AddAuthority {
			continue
		}
		if pki != "" && pki != s.PKI {
			return nil, readTenant().refuse(Invalid, "the plan adds CAs to the PKIs %q and %q, and a bundle is for one: plan them one after the other", pki, s.PKI)
		}
		cert, err := x509.ParseCertificate(s.Authority.Certificate)
		if err != nil {
			return nil, readTenant().fail(Invalid, fmt.Errorf("CA %q: %w", s.Authority.DisplayName, err))
		}
		pki, certs = s.PKI, append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, readTenant().refuse(Invalid, "the plan adds no CA")
	}
	bundle, err := trust.EncodeBundle(certs)
	if err != nil {
		return nil, readTenant().fail(Invalid, err)
	}
	return bundle, nil
}

// upload lets the service download the new CAs, unless it has.
func (c *Client) upload(ctx context.Context, p TenantPlan, o TenantOptions) error {
	certs, err := trust.DecodeBundle(o.Bundle)
	if err != nil {
		return writeTrust("upload a bundle").fail(Invalid, err)
	}
	if len(p.Before.Trust.PKIs.Lacking(certs)) == 0 {
		return nil
	}
	at := slices.IndexFunc(p.After.Trust.PKIs, func(pki trust.PKI) bool { return len(trust.PKIs{pki}.Lacking(certs)) == 0 })
	if at < 0 {
		return writeTrust("upload a bundle").refuse(Invalid, "no PKI of the plan has all CAs of the bundle: make the bundle of this plan")
	}
	want := p.After.Trust.PKIs[at]
	pki, err := c.named(ctx, want.DisplayName)
	if err != nil {
		return err
	}
	if pki == nil {
		made, err := c.CreatePKI(ctx, want.DisplayName)
		if err != nil {
			return err
		}
		pki = &made
	}
	o.say("upload")
	_, err = c.Upload(ctx, pki.ID, o.UploadURL, o.Bundle, UploadOptions{})
	return err
}

// Reverse returns the plan that takes this one back.
func (p TenantPlan) Reverse() (TenantPlan, error) {
	back := TenantPlan{TenantID: p.TenantID, Made: p.Made, Before: p.After, After: p.Before}
	return back, back.compute()
}

// Interrupted reports whether the tenant, as it is now, is in the middle of this plan:
// some of its changes are made and some are not, and nothing else differs from the
// state before. [Client.ApplyTenant] goes on from there.
func (p TenantPlan) Interrupted(now signin.Config) bool {
	return p.within(now) == nil && !p.same(now, p.Before) && !p.same(now, p.After)
}

// same reports whether no change leads from one state to the other.
func (p TenantPlan) same(now, other signin.Config) bool {
	q := TenantPlan{Made: p.Made, Before: now, After: other}
	return q.compute() == nil && q.Empty()
}

// within returns an error with what differs if the tenant is neither in the state
// before, nor in that after, nor in one between.
func (p TenantPlan) within(now signin.Config) error {
	q := TenantPlan{Made: p.Made, Before: p.Before, After: now}
	if err := q.compute(); err != nil {
		return err
	}
	var other []string
	planned := map[string]bool{}
	for _, s := range p.Trust.Steps {
		planned[s.key()] = true
	}
	for _, s := range q.Trust.Steps {
		if !planned[s.key()] {
			other = append(other, s.String())
		}
	}
	classic := now.Trust.Classic
	gone := len(p.Classic) > 0 && len(classic.CertificateAuthorities) == 0 // deleted, and not created yet
	if len(q.Classic) > 0 && !gone && !reached(classic, p.Before.Trust.Classic, p.Made) && !reached(classic, p.After.Trust.Classic, p.Made) {
		for _, s := range q.Classic {
			other = append(other, s.String())
		}
	}
	if !q.Policy.Empty() && !shows(now.Policy, p.After.Policy) {
		other = append(other, q.Policy.String())
	}
	if len(other) == 0 {
		return nil
	}
	return errors.New(strings.Join(other, "; "))
}

// planVersion is the version of the JSON of a TenantPlan.
const planVersion = 1

// planText is the JSON of a TenantPlan. Settings that a file lacks are not empty ones.
type planText struct {
	Version  int            `json:"version"`
	TenantID string         `json:"tenantId"`
	Made     time.Time      `json:"made"`
	Before   *signin.Config `json:"before"`
	After    *signin.Config `json:"after"`
}

// MarshalJSON writes the plan.
func (p TenantPlan) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(planText{planVersion, p.TenantID, p.Made, &p.Before, &p.After})
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// UnmarshalJSON reads what MarshalJSON wrote. On an error p stays as it was.
func (p *TenantPlan) UnmarshalJSON(data []byte) error {
	var in planText
	op := readTenant()
	if err := json.Unmarshal(data, &in); err != nil {
		return op.fail(Invalid, err)
	}
	switch {
	case in.Version != planVersion:
		return op.refuse(Invalid, "the plan has version %d, and this program reads version %d: make the plan again", in.Version, planVersion)
	case in.TenantID == "" || in.Made.IsZero():
		return op.refuse(Invalid, "this is not a plan: it does not name its tenant or its time")
	case in.Before == nil || in.After == nil || len(in.Before.Missing) > 0 || len(in.After.Missing) > 0:
		return op.refuse(Invalid, "the plan does not contain the whole settings before and after: make it again")
	}
	read := TenantPlan{TenantID: in.TenantID, Made: in.Made, Before: *in.Before, After: *in.After}
	if err := read.compute(); err != nil {
		return err
	}
	*p = read
	return nil
}

func readTenant() operation {
	return operation{name: "plan the tenant", permission: "Policy.Read.AuthenticationMethod, PublicKeyInfrastructure.Read.All and Organization.Read.All", role: "Global Reader"}
}

// PlanTenant reads the tenant and plans the changes that make its settings the given
// ones. Nothing is written. Parts that after lacks ([signin.Config.Lacks]) stay as they
// are; a part that it has is wanted as a whole: PKIs, CAs, bindings and rules that are
// not in it are deleted. Expired CAs of the classic store are left out when that store
// changes, because the service does not take them.
func (c *Client) PlanTenant(ctx context.Context, after signin.Config) (TenantPlan, error) {
	p := TenantPlan{Made: c.now().UTC().Truncate(time.Second)}
	var err error
	if p.TenantID, err = c.TenantID(ctx); err != nil {
		return p, err
	}
	if p.Before, err = c.Tenant(ctx); err != nil {
		return p, err
	}
	p.After = complete(after, p.Before)
	return p, p.compute()
}

// complete takes the parts that are missing from what there is now, and so what no plan
// writes and a sign-in depends on: the domains and system-preferred authentication.
func complete(after, now signin.Config) signin.Config {
	after = after.Clone()
	for _, part := range after.Missing {
		switch part {
		case "x509Certificate":
			after.Policy = now.Policy
		case "publicKeyInfrastructure":
			after.Trust.PKIs = now.Trust.PKIs
		case "certificateBasedAuthConfiguration":
			after.Trust.Classic = now.Trust.Classic
		}
	}
	after.Missing, after.Extra = nil, now.Extra
	return after
}

// compute sets the changes from Before, After and Made.
func (p *TenantPlan) compute() error {
	var err error
	if p.Trust, err = planTrust(p.Before.Trust.PKIs, p.After.Trust.PKIs, p.Made); err != nil {
		return err
	}
	p.Classic = nil
	if before, after := p.Before.Trust.Classic, p.After.Trust.Classic; !reached(before, after, p.Made) {
		p.Classic = classicSteps(before, unexpired(after, p.Made))
	}
	p.Policy, err = planPolicy(p.Before.Policy, p.After.Policy)
	return err
}

// reached reports whether a classic store is the wanted one, or is it as far as the
// service lets it: expired CAs cannot be put into it again.
func reached(now, wanted trust.Classic, at time.Time) bool {
	return sameClassic(now, wanted) || sameClassic(now, unexpired(wanted, at))
}

// unexpired leaves out the CAs that the service would refuse, and that let nobody in.
func unexpired(store trust.Classic, now time.Time) trust.Classic {
	store.CertificateAuthorities = slices.DeleteFunc(slices.Clone(store.CertificateAuthorities), func(a trust.ClassicAuthority) bool {
		cert, err := x509.ParseCertificate(a.Certificate)
		return err == nil && now.After(cert.NotAfter)
	})
	return store
}

// classicSteps are what differs between two classic stores. It says it of each CA,
// although the store is written as a whole.
func classicSteps(before, after trust.Classic) []TrustStep {
	var steps []TrustStep
	authority := func(a trust.ClassicAuthority) trust.Authority {
		is := trust.Authority{Certificate: a.Certificate}
		if cert, err := x509.ParseCertificate(a.Certificate); err == nil {
			if made, err := trust.NewAuthority(cert); err == nil {
				is = made
			}
		}
		is.CertificateRevocationListURL, is.DeltaCertificateRevocationListURL = a.CertificateRevocationListURL, a.DeltaCertificateRevocationListURL
		is.CertificateAuthorityType = trust.Intermediate
		if a.IsRootAuthority {
			is.CertificateAuthorityType = trust.Root
		}
		return is
	}
	find := func(store trust.Classic, der []byte) *trust.ClassicAuthority {
		for i := range store.CertificateAuthorities {
			if bytes.Equal(store.CertificateAuthorities[i].Certificate, der) {
				return &store.CertificateAuthorities[i]
			}
		}
		return nil
	}
	for _, a := range after.CertificateAuthorities {
		old := find(before, a.Certificate)
		step := TrustStep{Action: AddAuthority, Authority: authority(a)}
		if old != nil {
			text := func(a trust.ClassicAuthority) []byte {
				return encode(map[string]any{"isRootAuthority": a.IsRootAuthority, "certificateRevocationListUrl": a.CertificateRevocationListURL,
					"deltaCertificateRevocationListUrl": a.DeltaCertificateRevocationListURL})
			}
			step.Action = ChangeAuthority
			step.Differences, _ = snapshot.Compare(text(*old), text(a)) // two texts of this function
			if len(step.Differences) == 0 {
				continue
			}
		}
		steps = append(steps, step)
	}
	for _, a := range before.CertificateAuthorities {
		if find(after, a.Certificate) == nil {
			steps = append(steps, TrustStep{Action: RemoveAuthority, Authority: authority(a)})
		}
	}
	slices.SortStableFunc(steps, func(a, b TrustStep) int { return cmp.Compare(a.Action, b.Action) })
	return steps
}

// TenantOptions choose what applying a [TenantPlan] may do. The zero value refuses what
// is dangerous.
type TenantOptions struct {
	ApplyOptions
	// UploadURL is the address of Bundle, a .p7b that the service downloads: see
	// [Client.Upload]. Its CAs are then not sent one by one. [TenantPlan.Bundle] makes it.
	UploadURL string
	Bundle    []byte
	// Progress is called before each part that has something to do: "upload",
	// "PKI-based store", "classic store", "method configuration" or "deletions". Nil is not called.
	Progress func(part string)
}

// ApplyTenant makes a planned change. It reads the tenant and refuses if that is
// neither in the plan's state before nor between before and after ([Stale]; the cause
// lists what differs): a plan whose application was interrupted is continued. What
// takes access away is refused ([Lockout], see [TenantPlan.LocksOut]) unless
// AllowLockout is set. It then writes the plan to backup, which is required (with
// AllowStale, from the tenant as it is now), and makes
// the changes in an order in which nobody loses access on the way who has it before
// and after: what is new is trusted first, then the classic store is replaced, then the
// method configuration is changed, and what goes is deleted last. If the method is not
// enabled before, it is changed first, because the service may refuse CAs until then.
//
// What another program changes meanwhile is not written over: [Stale] then, with what
// has been done so far in place. Between a reading and the request that follows, Graph
// has no way to see it.
//
// In the end it reads everything back and returns it. [NotVisible] means that the
// changes were accepted and do not show.
func (c *Client) ApplyTenant(ctx context.Context, plan TenantPlan, backup io.Writer, o TenantOptions) (signin.Config, error) {
	op := operation{name: "change the tenant", permission: "Policy.ReadWrite.AuthenticationMethod, PublicKeyInfrastructure.ReadWrite.All and Organization.ReadWrite.All", role: "Global Administrator"}
	if backup == nil {
		return signin.Config{}, op.refuse(Invalid, "a backup is required")
	}
	id, err := c.TenantID(ctx)
	if err != nil {
		return signin.Config{}, err
	}
	if !strings.EqualFold(id, plan.TenantID) {
		return signin.Config{}, op.refuse(Invalid, "the plan is for the tenant %s, and this is %s", plan.TenantID, id)
	}
	now, err := c.Tenant(ctx)
	if err != nil {
		return now, err
	}
	left := TenantPlan{TenantID: id, Made: c.now(), Before: now, After: complete(plan.After, now)}
	if err := left.compute(); err != nil || left.Empty() {
		return now, err
	}
	kept := plan
	if other := plan.within(now); other != nil {
		if !o.AllowStale {
			return now, op.fail(Stale, other)
		}
		kept = left // the way back is to what there was, not to what there was once
	}
	if locks := left.LocksOut(); len(locks) > 0 && !o.AllowLockout {
		return now, op.lockout(locks)
	}
	text, err := json.MarshalIndent(kept, "", "  ")
	if err == nil {
		_, err = backup.Write(append(text, '\n'))
	}
	if err != nil {
		return now, op.fail(NotSaved, fmt.Errorf("nothing was changed, because the backup could not be written: %w", err))
	}
	if err := c.applyTenant(ctx, left, o); err != nil {
		return now, err
	}
	err = c.see(ctx, op, func() (bool, error) {
		if now, err = c.Tenant(ctx); err != nil {
			return false, err
		}
		return left.same(now, left.After), nil
	})
	return now, err
}

// applyTenant makes the changes of a plan that was just made. Who may be locked out has
// been checked.
func (c *Client) applyTenant(ctx context.Context, p TenantPlan, o TenantOptions) error {
	granted := ApplyOptions{AllowLockout: true, AllowStale: o.AllowStale}
	trustTo := func(part string, wanted trust.PKIs) func() error {
		return func() error {
			plan, err := c.PlanTrust(ctx, wanted)
			if err != nil || plan.Empty() {
				return err
			}
			if came := plan.deletesOther(p.Before.Trust.PKIs); len(came) > 0 && !o.AllowStale {
				return writeTrust("change the trust store").fail(Stale, fmt.Errorf("%s was created meanwhile, and would be deleted", strings.Join(came, ", ")))
			}
			o.say(part)
			_, err = c.ApplyTrust(ctx, plan, granted)
			return err
		}
	}
	add := trustTo("PKI-based store", p.After.Trust.PKIs.With(p.Before.Trust.PKIs))
	additions := func() error {
		if o.UploadURL != "" {
			if err := c.upload(ctx, p, o); err != nil {
				return err
			}
		}
		return add() // CRL URLs, names and hints of uploaded CAs, too
	}
	classic := func() error {
		if len(p.Classic) == 0 {
			return nil
		}
		now, err := c.Classic(ctx)
		if err != nil {
			return err
		}
		if !o.AllowStale && !sameClassic(now, p.Before.Trust.Classic) && !reached(now, p.After.Trust.Classic, p.Made) {
			return writeClassic("replace the classic trust store").fail(Stale, errors.New("the classic store was replaced meanwhile"))
		}
		o.say("classic store")
		_, err = c.ReplaceClassic(ctx, unexpired(p.After.Trust.Classic, p.Made), io.Discard, ReplaceOptions{AllowEmpty: true, AllowNoRollback: true})
		return err
	}
	method := func() error {
		if p.Policy.Empty() {
			return nil
		}
		o.say("method configuration")
		_, err := c.ApplyPolicy(ctx, p.Policy, granted)
		return err
	}
	deletions := trustTo("deletions", p.After.Trust.PKIs)
	order := []func() error{additions, classic, method, deletions}
	switch {
	case p.Before.Policy.State != policy.Enabled:
		order = []func() error{method, additions, classic, deletions}
	case p.After.Policy.State != policy.Enabled:
		order = []func() error{additions, classic, deletions, method}
	}
	for _, do := range order {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func (o TenantOptions) say(part string) {
	if o.Progress != nil {
		o.Progress(part)
	}
}
