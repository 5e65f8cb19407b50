package intune_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/entracba/cba/dn"
	"example.com/entracba/cba/intune"
	"example.com/entracba/cba/lint"
)

// FuzzExpand: whatever the values, the name has exactly the parts that the
// template has, each value is the static text with the values in their place, and
// both survive DER.
func FuzzExpand(f *testing.F) {
	for _, value := range []string{"Jane Doe", `a,OU=Admins`, `a"b`, "a+CN=b", "a\nb", `\`, "#05", "{{UserName}}", " ", "\x00", "é", "a=b;c"} {
		f.Add(value, "jane@yourdomain.com", "PC1")
		f.Add("x", value, value)
	}
	subject, err := intune.ParseSubject(`CN={{UserName}}, E={{EmailAddress}};OU="a, {{DeviceName}}""b"+O={{UserName}}{{DeviceName}},C=US`, intune.UserCertificate)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, user, email, device string) {
		name, err := subject.Expand(intune.Attributes{UserName: user, EmailAddress: email, DeviceName: device})
		if err != nil {
			var e *intune.Error
			if !errors.As(err, &e) || e.Reason != intune.NoValue && e.Reason != intune.NotUTF8 {
				t.Fatalf("error %v", err)
			}
			return
		}
		der, err := name.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := dn.ParseDER(der)
		if err != nil {
			t.Fatal(err)
		}
		if len(back) != 4 || len(back[0]) != 1 || len(back[1]) != 1 || len(back[2]) != 2 || len(back[3]) != 1 {
			t.Fatalf("the parts are %v", back)
		}
		for _, want := range []struct {
			got   []string
			value string
		}{
			{back.Values(dn.CommonName), user}, {back.Values(dn.EmailAddress), email},
			{back.Values(dn.OrganizationalUnit), `a, ` + device + `"b`}, {back.Values(dn.Organization), user + device},
			{back.Values(dn.Country), "US"},
		} {
			if len(want.got) != 1 || want.got[0] != want.value {
				t.Fatalf("values %q, want %q", want.got, want.value)
			}
		}
	})
}

// FuzzInjection: for any template and any value of all variables, the name has the
// shape that it has with a letter for a value, and is the same text with the value
// in the letter's place.
func FuzzInjection(f *testing.F) {
	for _, text := range []string{"CN={{UserName}},E={{EmailAddress}},OU=Mobile", `CN="{{UserName}}, {{IMEI}}"+OU={{MEID}} x;C=US`, `CN={{DeviceName}}\,`, "CN={{OnPrem_Distinguished_Name}}"} {
		for _, value := range []string{"Jane", "a,OU=Admins", `"`, "+CN=x", "\n", "#05", " ", "\\"} {
			f.Add(text, value)
		}
	}
	const letter = "\ue000"
	all := func(value string) intune.Attributes {
		return intune.Attributes{UserName: value, UserPrincipalName: value, EmailAddress: value, OnPremDistinguishedName: value,
			OnPremSamAccountName: value, EntraDeviceID: value, IntuneDeviceID: value, SerialNumber: value, IMEI: value, MEID: value,
			WiFiMACAddress: value, DeviceName: value, FullyQualifiedDomainName: value}
	}
	values := func(rdn dn.RDN, value string) []string {
		var list []string
		for _, a := range rdn {
			list = append(list, string(a.Type)+"="+strings.ReplaceAll(a.Value, letter, value)+string(a.Raw))
		}
		slices.Sort(list)
		return list
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		subject, err := intune.ParseSubject(text, intune.UserCertificate)
		if err != nil || value == "" || !utf8.ValidString(value) || strings.Contains(text+value, letter) {
			return
		}
		plain, err := subject.Expand(all(letter))
		if err != nil {
			t.Fatal(err)
		}
		name, err := subject.Expand(all(value))
		if err != nil {
			t.Fatal(err)
		}
		der, err := name.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := dn.ParseDER(der)
		if err != nil || len(back) != len(plain) {
			t.Fatalf("%q with %q is %v, %v", text, value, back, err)
		}
		for i := range back {
			if got, want := values(back[i], ""), values(plain[i], value); !slices.Equal(got, want) {
				t.Fatalf("%q with %q has %q, want %q", text, value, got, want)
			}
		}
	})
}

// FuzzParseSubject: a text is refused with an *Error whose offset lies in it, or
// it expands for somebody who has every value, to a name that can be encoded; a
// text without braces, backslashes and other extensions gives the name that
// package dn reads in it.
func FuzzParseSubject(f *testing.F) {
	for _, text := range []string{"CN={{UserName}},E={{EmailAddress}},OU=Mobile,O=Finance Group,L=Redmond,ST=Washington,C=US",
		`CN="User ""one"""`, "1.2.3 = # AB CD 01", "CN={{DeviceName}}Device1", `CN=a\,b`, "CN=a+OU=b;C=US", "CN={{", "CN=}}", "E={{OnPrem_Distinguished_Name}}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		subject, err := intune.ParseSubject(text, intune.UserCertificate)
		if err != nil {
			var e *intune.Error
			if !errors.As(err, &e) || e.Reason == "" || e.Offset < -1 || e.Offset > len(text) {
				t.Fatalf("error %#v", err)
			}
			return
		}
		name, err := subject.Expand(jane(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := name.Marshal(); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(text, "{}\\#\"\t\r\n\v\f") {
			return
		}
		if want, err := dn.ParseRootFirst(text); err == nil && !want.Equal(name) {
			t.Fatalf("%q = %v, package dn reads %v", text, name, want)
		}
	})
}

// FuzzProfile: whatever a profile's JSON says, its findings name places, a profile
// without an error among its findings can be issued for somebody who has every
// value, and what was read is written as it was read.
func FuzzProfile(f *testing.F) {
	f.Add([]byte(`{"platform":"windows","certificateType":"user","subjectNameFormat":"CN={{UserName}}","subjectAlternativeNames":[{"sanType":"userPrincipalName","name":"{{UserPrincipalName}}"}],"keyStorageProvider":"useSoftwareKsp","strongMapping":true}`))
	f.Add([]byte(`{"platform":"macos","certificateType":"device","subjectNameFormat":"CN={{AAD_Device_ID}}","deploymentChannel":"device","certificateValidityPeriodValue":24,"certificateValidityPeriodScale":"months","extendedKeyUsages":["1.3.6.1.5.5.7.3.2"]}`))
	f.Add([]byte(`{"platform":"android-dedicated","certificateType":"user","subjectNameFormat":"CN={","renewalThresholdPercentage":-5,"keySize":-1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p intune.Profile
		if json.Unmarshal(data, &p) != nil {
			return
		}
		findings, everything := p.Findings(), jane(t)
		for _, found := range append(findings, p.FindingsFor(everything)...) {
			if found.Code == "" || !strings.HasPrefix(found.Where, "/") || found.What == "" {
				t.Fatalf("%#v", found)
			}
		}
		if _, err := p.For(everything, now); err != nil {
			var e *intune.Error
			if !errors.As(err, &e) || e.Reason == "" {
				t.Fatalf("error %v", err)
			}
			if findings.Worst() < lint.Error && !errors.Is(err, intune.NotName) && !errors.Is(err, intune.OutOfRange) {
				t.Fatalf("%s: %v, and no finding of severity error: %v", data, err, findings)
			}
		}
		written, err := json.Marshal(p)
		if err != nil {
			return // an unset platform, type or kind of name
		}
		var back intune.Profile
		if err := json.Unmarshal(written, &back); err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if again, err := json.Marshal(back); err != nil || string(again) != string(written) {
			t.Fatalf("%s became %s, %v", written, again, err)
		}
	})
}
