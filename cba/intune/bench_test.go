package intune_test

import "testing"

func BenchmarkFor(b *testing.B) {
	p, a := good(), jane(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.For(a, now); err != nil {
			b.Fatal(err)
		}
	}
}
