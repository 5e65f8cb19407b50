//go:build js && wasm

// The program behind the page that examples/page writes. It sets one function on the
// page, ask, and answers from then on. It has no network: what Go has of one on this
// platform is the page's own, and the page's policy forbids it.
package main

import (
	"context"
	"encoding/json"
	"syscall/js"
	"time"

	"example.com/entracba/examples/internal/offline"
)

func main() {
	js.Global().Set("kindOf", js.FuncOf(func(_ js.Value, args []js.Value) any { return offline.KindOf(octets(args[0])) }))
	js.Global().Set("ask", js.FuncOf(func(_ js.Value, args []js.Value) any { return ask(args[0]) }))
	for _, a := range offline.Warm(context.Background()) { // before it says that it is ready
		json.Marshal(a)
	}
	js.Global().Get("document").Call("dispatchEvent", js.Global().Get("Event").New("ready"))
	select {}
}

// ask takes an object with the fields of [offline.Request], files as Uint8Array, and
// returns the answer as JSON.
func ask(o js.Value) string {
	r := offline.Request{
		Certificate: octets(o.Get("certificate")), Password: text(o.Get("password")), Tenant: octets(o.Get("tenant")), Then: octets(o.Get("then")),
		User: octets(o.Get("user")), Strength: octets(o.Get("strength")), Require: text(o.Get("require")), At: time.Now(),
	}
	if list := o.Get("crls"); list.Type() == js.TypeObject {
		for i := range list.Length() {
			r.CRLs = append(r.CRLs, octets(list.Index(i)))
		}
	}
	var at error
	if t := text(o.Get("at")); t != "" {
		r.At, at = time.Parse(time.RFC3339, t)
	}
	answer := offline.Ask(context.Background(), r)
	if at != nil {
		answer = offline.Answer{Problems: []offline.Problem{{About: "at", Text: at.Error()}}}
	}
	out, err := json.Marshal(answer)
	if err != nil { // holds nothing that JSON does not
		return `{"problems":[{"about":"page","text":"the answer cannot be written"}]}`
	}
	return string(out)
}

func text(v js.Value) string {
	if v.Type() != js.TypeString {
		return ""
	}
	return v.String()
}

func octets(v js.Value) []byte {
	if v.Type() != js.TypeObject {
		return nil
	}
	b := make([]byte, v.Length())
	js.CopyBytesToGo(b, v)
	return b
}
