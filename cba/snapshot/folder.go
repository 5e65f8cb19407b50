package snapshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"example.com/entracba/cba/internal/dialect"
	"example.com/entracba/cba/signin"
)

// files have the properties of a tenant by the name of the file that a folder has them
// in.
var files = map[string]string{
	"x509certificate.json":                   dialect.Policy,
	"authenticationmethodspolicy.json":       dialect.Policy,
	"publickeyinfrastructure.json":           dialect.PKIs,
	"certificatebasedauthconfiguration.json": dialect.Classic,
	"systemcredentialpreferences.json":       dialect.Preferred,
}

// domainsFolder is the folder of EntraExporter with a folder for each domain.
const domainsFolder = "domains"

// large are folders of EntraExporter that have many files and nothing that is read.
var large = []string{"users", "groups", "applications", "serviceprincipals", "devices", "administrativeunits"}

// ReadFolder reads a tenant from a folder as EntraExporter lays it out
// (X509Certificate.json, CertificateBasedAuthConfiguration.json, Domains), wherever in
// the folder the files are. It does not export the PKI-based trust store: save the answer of
// GET /directory/publicKeyInfrastructure/certificateBasedAuthConfigurations, with the
// certificateAuthorities of each, as publicKeyInfrastructure.json beside them. What the
// folder does not have is not known. Users are not read.
//
// The error is an [*Error] or one of fsys: [Malformed] for a folder that has no part of a
// tenant, or one of them twice.
func ReadFolder(fsys fs.FS) (Snapshot, error) {
	if fsys == nil {
		return Snapshot{}, &Error{Reason: Malformed, Detail: "no folder is given"}
	}
	parts, from := map[string]json.RawMessage{}, map[string]string{}
	var domains []json.RawMessage
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := strings.ToLower(d.Name())
		if d.IsDir() {
			if name != "." && (slices.Contains(large, base) || strings.HasPrefix(base, ".")) {
				return fs.SkipDir
			}
			return nil
		}
		folder := path.Dir(name)
		isDomain := strings.EqualFold(path.Base(path.Dir(folder)), domainsFolder) && strings.EqualFold(path.Base(folder)+".json", base)
		property := files[base]
		if property == "" && !isDomain {
			return nil
		}
		text, err := readPart(fsys, name)
		switch {
		case err != nil:
			return err
		case isDomain:
			domains = append(domains, text)
		case from[property] != "":
			return &Error{Reason: Malformed, Where: name, Detail: fmt.Sprintf("%s is in %s as well; give the folder of one export", property, from[property])}
		default:
			parts[property], from[property] = text, name
		}
		return nil
	})
	if err != nil {
		return Snapshot{}, err
	}
	if parts[dialect.Policy] == nil && parts[dialect.PKIs] == nil && parts[dialect.Classic] == nil {
		return Snapshot{}, &Error{Reason: Malformed, Detail: "the folder has no part of a tenant: EntraExporter writes Policies/AuthenticationMethodsPolicy/" +
			"AuthenticationMethodConfigurations/X509Certificate.json and Organization/CertificateBasedAuthConfiguration.json"}
	}
	for _, property := range slices.Sorted(maps.Keys(from)) { // say in which file
		name := from[property]
		part, err := encode(map[string]json.RawMessage{property: parts[property]})
		if err != nil {
			return Snapshot{}, err
		}
		if _, instead := dialect.Tenant(part); property != dialect.Preferred && instead != "" {
			return Snapshot{}, &Error{Reason: Malformed, Where: name, Detail: "this looks like " + instead}
		}
	}
	if domains != nil {
		if parts["domains"], err = encode(domains); err != nil {
			return Snapshot{}, err // never: each was read
		}
	}
	text, err := encode(parts)
	if err != nil {
		return Snapshot{}, err
	}
	s, err := Parse(text)
	var e *Error
	var inner *signin.Error
	if errors.As(err, &e) && errors.As(err, &inner) { // say in which file
		property, _, _ := strings.Cut(strings.TrimPrefix(inner.Where, "/"), "/")
		e.Where = from[property]
	}
	return s, err
}

// readPart reads one file of a folder.
func readPart(fsys fs.FS, name string) (json.RawMessage, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{Reason: Malformed, Where: name, Detail: "it is no file"}
	}
	if info.Size() > signin.MaxConfig {
		return nil, &Error{Reason: TooLarge, Where: name, Detail: fmt.Sprintf("%d bytes, at most %d are read", info.Size(), signin.MaxConfig)}
	}
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	text, err := dialect.Graph(data, signin.MaxConfig)
	if err != nil {
		err = own(name, err)
	}
	return text, err
}
