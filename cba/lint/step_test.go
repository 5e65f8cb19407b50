package lint_test

import (
	"encoding/json"
	"testing"

	"example.com/entracba/cba/lint"
)

func TestOutcomes(t *testing.T) {
	for o, want := range map[lint.Outcome]string{lint.Pass: "pass", lint.Fail: "fail", lint.Skip: "skip", lint.Warn: "warn"} {
		text, err := o.MarshalText()
		var back lint.Outcome
		if err != nil || string(text) != want || o.String() != want || back.UnmarshalText(text) != nil || back != o {
			t.Errorf("%s, %v, %v", text, err, back)
		}
	}
	if _, err := lint.Outcome(0).MarshalText(); err == nil {
		t.Error("an unset outcome was written")
	}
	if new(lint.Outcome).UnmarshalText([]byte("Pass")) == nil {
		t.Error("an unknown outcome was read")
	}
}

func TestStepJSON(t *testing.T) {
	step := lint.Step{Name: "issuer", Outcome: lint.Fail, Detail: "d", Source: lint.DeepDive, At: 3}
	text, err := json.Marshal(step)
	if want := `{"name":"issuer","outcome":"fail","detail":"d","source":"Learn: CBA technical deep dive"}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	step.Code, step.Inferred = "AADSTS500176", true
	if text, _ = json.Marshal(step); string(text) != `{"name":"issuer","outcome":"fail","detail":"d","source":"Learn: CBA technical deep dive","code":"AADSTS500176","inferred":true}` {
		t.Errorf("%s", text)
	}
	if _, err := json.Marshal(lint.Step{}); err == nil {
		t.Error("a step without an outcome was written")
	}
}
