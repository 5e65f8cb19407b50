package token

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"example.com/entracba/cba"
	"github.com/ThalesGroup/crypto11"
)

// A PIN unlocks a token. Printing a PIN prints "PIN" instead.
type PIN string

// String returns "PIN".
func (PIN) String() string { return "PIN" }

// GoString returns "PIN".
func (PIN) GoString() string { return "PIN" }

// Format prints "PIN", whatever the verb.
func (PIN) Format(f fmt.State, _ rune) { io.WriteString(f, "PIN") }

// MarshalText refuses.
func (PIN) MarshalText() ([]byte, error) {
	return nil, &Error{Reason: Invalid, What: "PIN", Hint: "a PIN is not written to text"}
}

const defaultSessionWait = 30 * time.Second

// Config says which token to open. Module, PIN, and one of Label and Serial are
// required.
type Config struct {
	// Module is the path of the PKCS #11 library, such as
	// /usr/lib/softhsm/libsofthsm2.so.
	Module string
	// Label or Serial names the token.
	Label, Serial string
	// PIN is the PIN of the normal user, not of the security officer.
	PIN PIN
	// MaxSessions is the largest number of open sessions, at least 2. Zero means as many
	// as are needed and the token allows.
	MaxSessions int
	// SessionWait is how long a signature waits while all sessions are in use; zero
	// means 30 seconds.
	SessionWait time.Duration
}

// A Token is open and logged in. It is safe for concurrent use.
type Token struct {
	context *crypto11.Context
	name    string
	mu      sync.RWMutex // held for reading while the token is in use
	closed  bool
}

// use runs do while the token is open: a module that is unloaded under a call
// takes the process with it.
func (t *Token) use(what string, do func() error) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.closed {
		return &Error{Reason: Gone, What: what, Err: errors.New("it was closed")}
	}
	return fail(what, do())
}

// Open loads the module, finds the token and logs in.
//
// The error is an *Error with reason Invalid, NoModule, NoToken, WrongPIN, Locked,
// Busy, Gone or Failed.
func Open(c Config) (*Token, error) {
	name := c.Label
	if name == "" {
		name = c.Serial
	}
	t := &Token{name: fmt.Sprintf("token %q", name)}
	switch {
	case c.Module == "" || (c.Label == "") == (c.Serial == ""):
		return nil, &Error{Reason: Invalid, What: "configuration", Hint: "set Module, and either Label or Serial"}
	case c.PIN == "":
		return nil, &Error{Reason: Invalid, What: t.name, Hint: "set PIN"}
	case c.MaxSessions == 1 || c.MaxSessions < 0:
		return nil, &Error{Reason: Invalid, What: fmt.Sprintf("MaxSessions %d", c.MaxSessions), Hint: "use 2 or more, or 0 for no limit"}
	}
	if _, err := os.Stat(c.Module); err != nil {
		return nil, &Error{Reason: NoModule, What: fmt.Sprintf("%q", c.Module), Err: err}
	}
	if c.SessionWait == 0 {
		c.SessionWait = defaultSessionWait
	}
	context, err := crypto11.Configure(&crypto11.Config{
		Path:            c.Module,
		TokenLabel:      c.Label,
		TokenSerial:     c.Serial,
		Pin:             string(c.PIN),
		MaxSessions:     c.MaxSessions,
		PoolWaitTimeout: c.SessionWait,
	})
	if err != nil {
		err = fail(t.name, err)
		if e := err.(*Error); e.Reason == NoModule {
			e.What = fmt.Sprintf("%q", c.Module)
		}
		return nil, err
	}
	t.context = context
	return t, nil
}

// Close waits for running signatures, logs out and ends all sessions. Keys no longer
// work afterwards. Closing again does nothing.
func (t *Token) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	return fail(t.name, t.context.Close())
}

// pairs returns the key pairs with this label.
func (t *Token) pairs(label string) (found []crypto11.Signer, err error) {
	if label == "" {
		return nil, &Error{Reason: Invalid, What: "key", Hint: "give it a label"}
	}
	err = t.use(t.name, func() (err error) {
		found, err = t.context.FindKeyPairs(nil, []byte(label))
		return err
	})
	return found, err
}

// Find returns the key pair with this label.
//
// The error is an *Error with reason NotFound, Ambiguous or Unsupported (not a key
// that cba.CheckKey accepts), or one about the token.
func (t *Token) Find(label string) (crypto.Signer, error) {
	what := fmt.Sprintf("key %q", label)
	found, err := t.pairs(label)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, &Error{Reason: NotFound, What: what}
	case len(found) > 1:
		return nil, &Error{Reason: Ambiguous, What: what}
	}
	return t.key(what, found[0])
}

func (t *Token) key(what string, signer crypto.Signer) (crypto.Signer, error) {
	if err := cba.CheckKey(signer.Public()); err != nil {
		return nil, &Error{Reason: Unsupported, What: what, Err: err}
	}
	return &key{t, signer, t.name + ", " + what}, nil
}

// Generate makes a key pair that stays in the token. The label must be new. Do not let
// two programs generate keys at the same time: both can find that a label is new.
//
// The error is an *Error with reason Invalid, Exists, Full, WriteProtected or
// Unsupported, or one about the token.
func (t *Token) Generate(label string, keyType cba.KeyType) (crypto.Signer, error) {
	what := fmt.Sprintf("key %q", label)
	found, err := t.pairs(label)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return nil, &Error{Reason: Exists, What: what}
	}
	// The identifier is what ties the two halves together.
	id := make([]byte, 16)
	rand.Read(id)
	var signer crypto.Signer
	rsa := func(bits int) func() error {
		return func() (err error) {
			signer, err = t.context.GenerateRSAKeyPairWithLabel(id, []byte(label), bits)
			return err
		}
	}
	ecdsa := func(curve elliptic.Curve) func() error {
		return func() (err error) {
			signer, err = t.context.GenerateECDSAKeyPairWithLabel(id, []byte(label), curve)
			return err
		}
	}
	var generate func() error
	switch keyType {
	case cba.RSA2048:
		generate = rsa(2048)
	case cba.RSA3072:
		generate = rsa(3072)
	case cba.RSA4096:
		generate = rsa(4096)
	case cba.P256:
		generate = ecdsa(elliptic.P256())
	case cba.P384:
		generate = ecdsa(elliptic.P384())
	case cba.P521:
		generate = ecdsa(elliptic.P521())
	default:
		return nil, &Error{Reason: Invalid, What: fmt.Sprintf("key type %v", keyType), Hint: "use one of the key types of package cba"}
	}
	if err := t.use(t.name, generate); err != nil {
		return nil, err
	}
	return t.key(what, signer)
}

// A key is a crypto.Signer whose errors are those of this package.
type key struct {
	token  *Token
	signer crypto.Signer
	what   string
}

func (k *key) Public() crypto.PublicKey { return k.signer.Public() }

func (k *key) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) (signature []byte, err error) {
	err = k.token.use(k.what, func() (err error) {
		signature, err = k.signer.Sign(random, digest, opts)
		return err
	})
	return signature, err
}
