package folder

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/certuserid"
	"example.com/entracba/cba/dn"
)

// ManifestName is the manifest's file in a folder.
const ManifestName = "manifest.json"

// A CA is the CA that issued the certificates of a manifest.
type CA struct {
	Subject              string    // as Entra shows it: RFC 4514, CN first
	SerialNumber         string    // hexadecimal
	NotAfter             time.Time // when it expires
	Thumbprint           string    // as cba.Thumbprint has it
	SubjectKeyIdentifier string    // hexadecimal
	Certificate          string    // file, PEM
	// Other has the properties that this package does not know, by name. They are
	// written back as they are. Nil is none.
	Other map[string]json.RawMessage
}

// DescribeCA describes a CA whose certificates [Publish] has written.
func DescribeCA(issuer *cba.Issuer) CA {
	if issuer == nil || issuer.Certificate == nil {
		return CA{}
	}
	cert := issuer.Certificate
	ca := CA{
		SerialNumber:         hex.EncodeToString(cert.SerialNumber.Bytes()),
		NotAfter:             cert.NotAfter,
		Thumbprint:           cba.Thumbprint(cert),
		SubjectKeyIdentifier: hex.EncodeToString(cert.SubjectKeyId),
		Certificate:          CAName + "/" + rootName + ".crt",
	}
	if name, err := dn.ParseDER(cert.RawSubject); err == nil {
		ca.Subject = name.String()
	}
	if len(issuer.Chain) > 0 {
		ca.Certificate = CAName + "/" + issuingName + ".crt"
	}
	return ca
}

// A User is one issued certificate.
type User struct {
	UPN          string
	SerialNumber string    // hexadecimal
	NotAfter     time.Time // when it expires
	Thumbprint   string    // as cba.Thumbprint has it
	Certificate  string    // file, PEM
	PFX          string    // file
	PFXEncoding  string    // as pfx.Encoding has it
	// CertificateUserIDs are the values that bind the certificate to the account,
	// one for each mapping that the certificate has something for.
	CertificateUserIDs map[certuserid.Mapping]certuserid.ID
	// Other is as in [CA].
	Other map[string]json.RawMessage
}

// DescribeUser describes a certificate, whose files are users/UPN.crt and
// users/UPN.pfx. The caller fills in PFXEncoding, and changes the files if they have
// other names.
func DescribeUser(upn string, cert *x509.Certificate) User {
	u := User{UPN: upn, Certificate: "users/" + upn + ".crt", PFX: "users/" + upn + ".pfx"}
	if cert == nil {
		return u
	}
	u.NotAfter, u.Thumbprint = cert.NotAfter, cba.Thumbprint(cert)
	if cert.SerialNumber != nil {
		u.SerialNumber = hex.EncodeToString(cert.SerialNumber.Bytes())
	}
	u.CertificateUserIDs = map[certuserid.Mapping]certuserid.ID{}
	for _, id := range certuserid.All(cert) {
		u.CertificateUserIDs[id.Mapping()] = id
	}
	return u
}

// MarshalJSON writes the CA as a manifest has it.
func (ca CA) MarshalJSON() ([]byte, error) { return writeObject(ca.properties(), ca.Other) }

// UnmarshalJSON reads the CA of a manifest.
func (ca *CA) UnmarshalJSON(text []byte) (err error) {
	var in CA
	if in.Other, err = readObject(text, in.properties()); err == nil {
		*ca = in
	}
	return err
}

func (ca *CA) properties() []property {
	return []property{
		{"subject", &ca.Subject}, {"serialNumber", &ca.SerialNumber}, {"notAfter", &ca.NotAfter}, {"thumbprint", &ca.Thumbprint},
		{"subjectKeyIdentifier", &ca.SubjectKeyIdentifier}, {"certificate", &ca.Certificate},
	}
}

// MarshalJSON writes the user as a manifest has it.
func (u User) MarshalJSON() ([]byte, error) { return writeObject(u.properties(), u.Other) }

// UnmarshalJSON reads a user of a manifest.
func (u *User) UnmarshalJSON(text []byte) (err error) {
	var in User
	if in.Other, err = readObject(text, in.properties()); err == nil {
		*u = in
	}
	return err
}

func (u *User) properties() []property {
	return []property{
		{"upn", &u.UPN}, {"serialNumber", &u.SerialNumber}, {"notAfter", &u.NotAfter}, {"thumbprint", &u.Thumbprint},
		{"certificate", &u.Certificate}, {"pfx", &u.PFX}, {"pfxEncoding", &u.PFXEncoding}, {"certificateUserIds", (*userIDs)(&u.CertificateUserIDs)},
	}
}

// userIDs are read with the admin center's name of a mapping, too, as older manifests
// have it. The mapping must be that of the value, or one that is not known.
type userIDs map[certuserid.Mapping]certuserid.ID

func (u *userIDs) UnmarshalJSON(text []byte) error {
	var in map[string]certuserid.ID
	if err := json.Unmarshal(text, &in); err != nil || in == nil {
		return err
	}
	*u = make(userIDs, len(in))
	for name, id := range in {
		m, err := certuserid.ParseMapping(name)
		switch {
		case err != nil:
			m = certuserid.Mapping(name)
		case m != id.Mapping():
			return fmt.Errorf("%s is %v, a value for %v", name, id, id.Mapping())
		}
		if _, twice := (*u)[m]; twice {
			return fmt.Errorf("%v appears under two names", m)
		}
		(*u)[m] = id
	}
	return nil
}

// A Manifest is a whole manifest in memory.
type Manifest struct {
	CA    CA
	Users []User
}

// MarshalJSON writes the manifest, see [WriteManifest].
func (m Manifest) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := WriteManifest(&b, m.CA, func(yield func(User, error) bool) {
		for _, u := range m.Users {
			if !yield(u, nil) {
				return
			}
		}
	})
	return b.Bytes(), err
}

// UnmarshalJSON reads a manifest; the error is as that of [Load].
func (m *Manifest) UnmarshalJSON(text []byte) error {
	in, err := readManifest(bytes.NewReader(text))
	if err == nil {
		*m = *in
	}
	return err
}

func readManifest(r io.Reader) (*Manifest, error) {
	m := &Manifest{Users: []User{}}
	var err error
	m.CA, err = read(r, func(u User) error {
		m.Users = append(m.Users, u)
		return nil
	})
	return m, err
}

// Load reads a manifest. The error is an [*Error] with reason [Malformed] or
// [TooLarge], or one of the file system.
func Load(name string) (*Manifest, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := readManifest(f)
	if err != nil {
		return nil, at(name, err)
	}
	return m, nil
}

// Users reads the users of a manifest one by one: memory does not grow with their
// number. The sequence ends after an error, which is as that of [Load].
func Users(name string) iter.Seq2[User, error] {
	return func(yield func(User, error) bool) {
		f, err := os.Open(name)
		if err != nil {
			yield(User{}, err)
			return
		}
		defer f.Close()
		enough := errors.New("the caller has enough")
		if _, err = read(f, func(u User) error {
			if !yield(u, nil) {
				return enough
			}
			return nil
		}); err != nil && err != enough {
			yield(User{}, at(name, err))
		}
	}
}

// at names the file in an error about its content.
func at(name string, err error) error {
	var e *Error
	if errors.As(err, &e) && e.Path == "" {
		e.Path = name
	}
	return err
}

// maxEntry is the largest user, or CA, of a manifest in bytes.
const maxEntry = 1 << 20

// read decodes a manifest user by user.
func read(r io.Reader, each func(User) error) (ca CA, err error) {
	limited := &allowance{r: r, left: maxEntry}
	d := json.NewDecoder(bufio.NewReaderSize(limited, 1<<16))
	bad := func(where string, err error) error {
		var e *Error
		switch {
		case errors.As(err, &e):
			if !strings.HasPrefix(e.What, "/") {
				where += ": "
			}
			e.What = strings.TrimPrefix(where+e.What, ": ")
			return err
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			err = errors.New("the file ends in the middle")
		}
		return &Error{Reason: Malformed, What: cmp.Or(where, "not a manifest"), Err: err}
	}
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		if err == nil {
			err = errors.New("want a JSON object")
		}
		return ca, bad("", err)
	}
	seen := map[any]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return ca, bad("", err)
		}
		if seen[key] {
			return ca, bad("", fmt.Errorf("property %q appears twice", key))
		}
		seen[key] = true
		switch key {
		case "ca":
			if err := d.Decode(&ca); err != nil {
				return ca, bad("/ca", err)
			}
		case "users":
			open, err := d.Token()
			if err == nil && open != json.Delim('[') {
				err = errors.New("want a list")
			}
			for n := 0; err == nil && d.More(); n++ {
				where := fmt.Sprintf("/users/%d", n)
				limited.left = maxEntry
				var u User
				if err := d.Decode(&u); err != nil {
					return ca, bad(where, err)
				}
				if err := each(u); err != nil {
					return ca, err
				}
			}
			if err == nil {
				_, err = d.Token()
			}
			if err != nil {
				return ca, bad("/users", err)
			}
		default:
			return ca, bad("", fmt.Errorf("unknown property %q", key))
		}
		limited.left = maxEntry
	}
	if _, err := d.Token(); err != nil {
		return ca, bad("", err)
	}
	for _, name := range []string{"ca", "users"} {
		if !seen[name] {
			return ca, bad("", fmt.Errorf("there is no property %q", name))
		}
	}
	if _, err := d.Token(); err != io.EOF {
		return ca, bad("", errors.New("more text follows the object"))
	}
	return ca, nil
}

// An allowance bounds what is read until it is renewed.
type allowance struct {
	r    io.Reader
	left int
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, &Error{Reason: TooLarge, What: "has an entry of more than 1 MB"}
	}
	n, err := a.r.Read(p)
	a.left -= n
	return n, err
}

// WriteManifest writes a manifest to w, user by user. It ends with the first error of
// users.
func WriteManifest(w io.Writer, ca CA, users iter.Seq2[User, error]) error {
	if w == nil {
		return &Error{Reason: NotGiven, What: "there is nothing to write the manifest to"}
	}
	head, err := indented(ca, "  ")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "{\n  \"ca\": %s,\n  \"users\": [", head); err != nil {
		return err
	}
	separator, closing := "\n    ", "]\n}\n"
	if users == nil {
		users = func(func(User, error) bool) {}
	}
	for u, err := range users {
		if err != nil {
			return err
		}
		text, err := indented(u, "    ")
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, separator+text); err != nil {
			return err
		}
		separator, closing = ",\n    ", "\n  ]\n}\n"
	}
	_, err = io.WriteString(w, closing)
	return err
}

func indented(v any, prefix string) (string, error) {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // X509:<PN> stays readable
	e.SetIndent(prefix, "  ")
	err := e.Encode(v)
	return strings.TrimRight(text.String(), "\n"), err
}
