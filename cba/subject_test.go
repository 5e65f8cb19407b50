package cba_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/trust"
	"github.com/google/go-cmp/cmp"
)

// A certificate issued again with the subject and the profile of the first has the
// same names, usages, policies, URLs and SID in the same form, and is valid as long.
func TestSubjectAndProfileOf(t *testing.T) {
	issuing := newIssuing(t, cba.P256)
	full := fullProfile()
	full.ExtraUsages = []x509.OID{oid(t, "1.3.6.1.5.2.3.4")}
	smart := cba.SmartcardUser()
	smart.Validity, smart.Backdate = 90*cba.Day, time.Hour
	short := cba.Profile{Validity: 2 * time.Minute, Backdate: -1}
	withSID := jane
	withSID.SID = parseSID(t, sidText)
	for name, test := range map[string]struct {
		subject cba.Subject
		profile cba.Profile
	}{
		"plain":            {jane, cba.Profile{}},
		"everything":       {fullSubject(t), full},
		"SID as extension": {withSID, cba.Profile{SIDForm: cba.SIDAsExtension}},
		"SID as URI":       {withSID, cba.IntuneUser()},
		"backdated":        {jane, smart},
		"minutes":          {jane, short},
		"e-mail alone":     {cba.Subject{Emails: []string{"jane@yourdomain.com"}}, cba.Profile{}},
	} {
		t.Run(name, func(t *testing.T) {
			first := issue(t, issuing, test.subject, test.profile)
			subject, err := cba.SubjectOf(first)
			if err != nil {
				t.Fatal(err)
			}
			profile, err := cba.ProfileOf(first)
			if err != nil {
				t.Fatal(err)
			}
			again := issue(t, issuing, subject, profile)
			if !cmp.Equal(first.RawSubject, again.RawSubject) || again.NotAfter.Sub(again.NotBefore) != first.NotAfter.Sub(first.NotBefore) {
				t.Errorf("subject %v, valid for %v; was %v, %v", again.Subject, again.NotAfter.Sub(again.NotBefore), first.Subject, first.NotAfter.Sub(first.NotBefore))
			}
			if diff := cmp.Diff(first.Extensions, again.Extensions); diff != "" {
				t.Errorf("extensions (-first +again):\n%s", diff)
			}
			if subject.SID != test.subject.SID || subject.UPN != test.subject.UPN {
				t.Errorf("subject %+v", subject)
			}
		})
	}
}

// What is not clear is not guessed.
func TestSubjectOfRefused(t *testing.T) {
	root := newRoot(t, cba.P256)
	for name, test := range map[string]struct {
		change func(*odd)
		want   cba.Reason
	}{
		"two UPNs": {func(o *odd) { o.template.ExtraExtensions = sanOf(t, upnFoo, upnName(t, "a@b")) }, cba.Ambiguous},
		"two SIDs": {func(o *odd) {
			uri := "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500"
			o.template.ExtraExtensions = append(sanOf(t, upnFoo, "86"+hexOf(string(rune(len(uri))))+hexOf(uri)), parseSID(t, sidText).Extension())
		}, cba.Ambiguous},
		"names that are none": {func(o *odd) { o.template.ExtraExtensions = sanOf(t, "a003 020105") }, cba.Malformed},
	} {
		o := goodUser(t)
		test.change(&o)
		cert := o.sign(t, root.Certificate, root.Key)
		t.Run(name, func(t *testing.T) {
			_, err := cba.SubjectOf(cert)
			wantReason(t, err, test.want)
		})
	}
	_, err := cba.SubjectOf(nil)
	wantReason(t, err, cba.Empty)
	_, err = cba.ProfileOf(nil)
	wantReason(t, err, cba.Empty)
	_, err = cba.NamesOf(nil)
	wantReason(t, err, cba.Empty)
	bad := *root.Certificate
	bad.Extensions = append([]pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Value: []byte{0x30, 2, 5, 0}}}, bad.Extensions...)
	_, err = cba.ProfileOf(&bad)
	wantReason(t, err, cba.Malformed)
}

// What is written is read, by this package and by package trust, up to one limit.
func TestOneLimit(t *testing.T) {
	cert := issue(t, newRoot(t, cba.RSA2048), fullSubject(t), fullProfile())
	many := make([]*x509.Certificate, 2500)
	for i := range many {
		many[i] = cert
	}
	file := cba.EncodeCertificates(many...)
	if len(file) < 3<<20 || len(file) > 4<<20 {
		t.Fatalf("a file of %d bytes does not test the limit", len(file))
	}
	for _, size := range []int{len(file), 4 << 20, 4<<20 + 1} {
		file = append(file, make([]byte, size-len(file))...)
		ours, err := cba.ParseCertificates(file)
		theirs, errTrust := trust.ReadCertificates(file)
		if ok := size <= 4<<20; (err == nil) != ok || (errTrust == nil) != ok || ok && (len(ours) != 2500 || len(theirs) != 2500) {
			t.Errorf("%d bytes: %d and %d certificates, %v, %v", size, len(ours), len(theirs), err, errTrust)
		}
		if size > 4<<20 {
			wantReason(t, err, cba.OutOfRange)
		}
	}
	if len(cba.EncodeCertificates(nil, nil)) != 0 {
		t.Error("something for no certificate")
	}
}
