package dn_test

import (
	"strings"
	"testing"

	"example.com/entracba/cba/dn"
)

func TestShow(t *testing.T) {
	encode := func(name dn.Name) []byte {
		der, err := name.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	parse := func(text string) dn.Name {
		name, err := dn.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	one := func(value string) dn.Name {
		name := parse("CN=x")
		name[0][0].Value = value
		return name
	}
	own := parse("1.2.3.4=#0c026162")
	raw := parse("1.2.3.4=#020101")
	for _, c := range []struct {
		der  []byte
		want string
	}{
		{encode(parse("CN=Jane+UID=j,OU=Users,DC=contoso,DC=com")), "CN=Jane+UID=j,OU=Users,DC=contoso,DC=com"},
		{encode(parse("emailAddress=a@b.c,ST=WA,2.5.4.97=x")), "emailAddress=a@b.c,ST=WA,organizationIdentifier=x"},
		{encode(own), "1.2.3.4=ab"}, // String writes #0c026162, as RFC 4514 asks
		{encode(raw), "1.2.3.4=#020101"},
		{encode(nil), "(empty name)"},
		{nil, "(unreadable name)"},
		{[]byte{0x30, 0x80}, "(unreadable name)"},
		{encode(one("Zoë, \u65e5\u672c")), `CN=Zoë\, ` + "\u65e5\u672c"},
		{encode(one("a\nb\u202ec\u2028d")), `CN=a\0ab\e2\80\aec\e2\80\a8d`},
		{encode(one(strings.Repeat("x", 3000))), "(name of 3021 bytes)"},
	} {
		if got := dn.Show(c.der); got != c.want {
			t.Errorf("Show = %q, want %q", got, c.want)
		}
	}
}
