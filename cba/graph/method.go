package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/wire"
	"example.com/entracba/cba/lint"
	"example.com/entracba/cba/policy"
	"example.com/entracba/cba/snapshot"
)

const methodPath = "policies/authenticationMethodsPolicy/authenticationMethodConfigurations/x509Certificate"

const methodRole = "Authentication Policy Administrator"

func readMethod() operation {
	return operation{name: "read the method configuration", permission: "Policy.Read.AuthenticationMethod", role: "Global Reader"}
}

func writeMethod(name string) operation {
	return operation{name: name, permission: "Policy.ReadWrite.AuthenticationMethod", role: methodRole}
}

func (c *Client) hasMethods(op operation) error {
	if base, err := c.base(); err == nil && strings.EqualFold(base.Hostname(), chinaHost) {
		return op.fail(NotInCloud, nil)
	}
	return nil
}

// Policy returns the tenant's x509Certificate method configuration. Enumeration values
// that Graph added after v1.0, such as issuerSubjectAndPolicyOID, are returned as they
// are: the request asks for them.
func (c *Client) Policy(ctx context.Context) (policy.Config, error) {
	op := readMethod()
	if err := c.hasMethods(op); err != nil {
		return policy.Config{}, err
	}
	var config policy.Config
	err := c.get(ctx, op, methodPath, func(body []byte) (err error) {
		config, err = policy.Parse(body)
		return err
	}, wantEnums)
	return config, err
}

const credentialPreferences = "systemCredentialPreferences"

// credentialPreferences returns that property of the authenticationMethodsPolicy as
// Graph writes it, nil if the service refuses to give it.
func (c *Client) credentialPreferences(ctx context.Context) (json.RawMessage, error) {
	var text json.RawMessage
	op := readMethod()
	op.name = "read system-preferred authentication"
	_, err := c.do(ctx, request{op: op, method: http.MethodGet, path: "policies/authenticationMethodsPolicy", beta: true, idempotent: true,
		parse: func(body []byte) error {
			members, err := object(body)
			for _, m := range members {
				if m.Name == credentialPreferences && string(m.Raw) != "null" {
					text = slices.Clone(wire.WithoutAnnotations(m.Raw))
				}
			}
			return err
		}})
	if refused(err) {
		return nil, nil
	}
	return text, err
}

// A PolicyPlan is a planned change of the method configuration.
type PolicyPlan struct {
	// Before is the tenant's configuration as it was read, After the wanted one.
	Before, After policy.Config
	// Differences are the changes, empty if there are none.
	Differences snapshot.Differences
	// Findings are those of After.
	Findings lint.Findings
}

// Empty reports whether there is nothing to do.
func (p PolicyPlan) Empty() bool { return len(p.Differences) == 0 }

// LocksOut returns the findings which say that the change keeps people out.
func (p PolicyPlan) LocksOut() lint.Findings {
	var locks lint.Findings
	for _, f := range p.Findings {
		if f.Effect == lint.LocksOut {
			locks = append(locks, f)
		}
	}
	if p.Before.State == policy.Enabled && p.After.State != policy.Enabled {
		locks = append(locks, disables(p.Before.State))
	}
	return locks
}

// disables is the finding of a change that switches the method off. By itself
// such a configuration is a proper one, and so policy has no finding for it.
func disables(now policy.State) lint.Finding {
	return disablesMethod.At("/state", "state", "certificate-based authentication is %s now and would be off after the change: no user could sign in with a certificate", now)
}

// lockout is the error of a change that would keep people out.
func (op operation) lockout(locks lint.Findings) *Error {
	e := op.fail(Lockout, nil)
	e.Findings = locks
	return e
}

// String returns the differences, one a line.
func (p PolicyPlan) String() string { return p.Differences.String() }

// PlanPolicy reads the tenant's configuration and plans the changes that make it the
// given one. Nothing is written. Pass a changed copy of what [Client.Policy] returned,
// so that properties which this module does not know stay as they are: a property that
// after lacks keeps its value, and one that it has is sent whole.
func (c *Client) PlanPolicy(ctx context.Context, after policy.Config) (PolicyPlan, error) {
	before, err := c.Policy(ctx)
	if err != nil {
		return PolicyPlan{}, err
	}
	return planPolicy(before, after)
}

func planPolicy(before, after policy.Config) (PolicyPlan, error) {
	p := PolicyPlan{Before: before, After: after, Findings: after.Findings()}
	a, err := before.PatchBody()
	if err == nil {
		var b []byte
		if b, err = after.PatchBody(); err == nil {
			p.Differences, err = snapshot.Compare(a, b)
			p.Differences = slices.DeleteFunc(p.Differences, noChange)
		}
	}
	if err != nil {
		return PolicyPlan{}, writeMethod("plan the method configuration").fail(Invalid, err)
	}
	return p, nil
}

// noChange drops differences that a PATCH does not make: absent, null and an empty
// list are one thing to the service, which answers with every property, and what
// the body does not have at its top stays.
func noChange(d snapshot.Difference) bool {
	empty := func(text []byte) bool { return text == nil || string(text) == "null" || string(text) == "[]" }
	return empty(d.Before) && empty(d.After) || d.After == nil && !strings.ContainsAny(d.Path, ".[")
}

// ApplyOptions choose what a change of the tenant may do. The zero
// value refuses what is dangerous.
type ApplyOptions struct {
	// AllowLockout makes the change although its findings say that it keeps people
	// out.
	AllowLockout bool
	// AllowStale makes the change although the tenant was changed since the plan was
	// made, and so undoes that other change.
	AllowStale bool
}

// ApplyPolicy makes a planned change: it reads the configuration once more and
// refuses if it is no longer the plan's Before ([Stale]), sends the whole
// configuration with its "@odata.type", and reads until the change is visible. A plan
// without changes sends nothing. Graph has no ETag for this resource: a change that
// another program makes between the reading and the PATCH is lost; the next plan shows
// it.
//
// The configuration in force is returned also with an error, as far as it is known.
// [Lockout] and [Stale] mean that nothing was changed, [NotVisible] that the change
// was accepted and was not visible in time. To undo, apply [PolicyPlan.Reverse].
func (c *Client) ApplyPolicy(ctx context.Context, plan PolicyPlan, o ApplyOptions) (policy.Config, error) {
	op := writeMethod("change the method configuration")
	// The plan may have been put together by hand, without its findings.
	plan, err := planPolicy(plan.Before, plan.After)
	if err != nil || plan.Empty() {
		return plan.Before, err
	}
	if locks := plan.LocksOut(); len(locks) > 0 && !o.AllowLockout {
		return plan.Before, op.lockout(locks)
	}
	body, err := plan.After.PatchBody()
	if err != nil {
		return plan.Before, op.fail(Invalid, err)
	}
	now, err := c.Policy(ctx)
	switch {
	case err != nil:
		return plan.Before, err
	case shows(now, plan.After):
		return now, nil
	case !o.AllowStale && !(shows(now, plan.Before) && shows(plan.Before, now)):
		return now, op.fail(Stale, nil)
	}
	_, err = c.do(ctx, request{op: op, method: http.MethodPatch, path: methodPath, header: [][2]string{wantEnums}, body: body, idempotent: true})
	if err != nil {
		return now, err
	}
	return c.seePolicy(ctx, op, func(p policy.Config) bool { return shows(p, plan.After) })
}

// shows reports whether the configuration in force is the one that was sent. A
// PATCH leaves alone what it does not have, so only what was sent counts.
func shows(now, sent policy.Config) bool {
	p, err := planPolicy(now, sent)
	return err == nil && p.Empty()
}

// Reverse returns the plan that takes this one back.
func (p PolicyPlan) Reverse() (PolicyPlan, error) { return planPolicy(p.After, p.Before) }

// seePolicy reads until the configuration is as it should be.
func (c *Client) seePolicy(ctx context.Context, op operation, ok func(policy.Config) bool) (policy.Config, error) {
	var config policy.Config
	err := c.see(ctx, op, func() (bool, error) {
		var err error
		config, err = c.Policy(ctx)
		return err == nil && ok(config), err
	})
	return config, err
}

// see asks until the answer is yes: at once, and with growing waits for
// Client.Patience.
func (c *Client) see(ctx context.Context, op operation, look func() (bool, error)) error {
	var waited = c.patience()
	for n := 1; ; n++ {
		ok, err := look()
		if err != nil || ok {
			return err
		}
		d := min(backoff(n), waited)
		if waited -= d; d <= 0 {
			return op.fail(NotVisible, nil)
		}
		if err := c.wait(ctx, d); err != nil {
			e := op.fail(Interrupted, err)
			e.Indeterminate = true
			return e
		}
	}
}

// ResetPolicy restores the service's default, in which the method is disabled, and
// returns it. No user can then sign in with a certificate, so it needs AllowLockout
// unless the method is disabled already. To see the changes first, plan
// [policy.ServiceDefault]; to undo, plan the returned before.
func (c *Client) ResetPolicy(ctx context.Context, o ApplyOptions) (before, after policy.Config, err error) {
	if before, err = c.Policy(ctx); err != nil {
		return before, before, err
	}
	op := writeMethod("reset the method configuration")
	if before.State != policy.Disabled && !o.AllowLockout {
		return before, before, op.lockout(lint.Findings{disables(before.State)})
	}
	if _, err = c.do(ctx, request{op: op, method: http.MethodDelete, path: methodPath, idempotent: true}); err != nil {
		return before, before, err
	}
	after, err = c.seePolicy(ctx, op, func(p policy.Config) bool { return p.State == policy.Disabled })
	return before, after, err
}
