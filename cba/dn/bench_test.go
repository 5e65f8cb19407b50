package dn_test

import (
	"testing"

	"example.com/entracba/cba/dn"
)

func benchmarkName(b *testing.B) (string, []byte) {
	b.Helper()
	const text = "CN=Contoso User,OU=UserAccounts,DC=corp,DC=contoso,DC=com"
	name, err := dn.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	der, err := name.Marshal()
	if err != nil {
		b.Fatal(err)
	}
	return text, der
}

func BenchmarkAppendWindows(b *testing.B) {
	_, der := benchmarkName(b)
	buffer := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		dn.AppendWindows(buffer, der)
	}
}

func BenchmarkAppendKey(b *testing.B) {
	_, der := benchmarkName(b)
	buffer := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		dn.AppendKey(buffer, der)
	}
}

func BenchmarkParse(b *testing.B) {
	text, _ := benchmarkName(b)
	b.ReportAllocs()
	for b.Loop() {
		dn.Parse(text)
	}
}

func BenchmarkParseDER(b *testing.B) {
	_, der := benchmarkName(b)
	b.ReportAllocs()
	for b.Loop() {
		dn.ParseDER(der)
	}
}
