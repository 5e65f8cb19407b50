package graph_test

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"example.com/entracba/cba/graph"
	"example.com/entracba/cba/graph/graphtest"
	"example.com/entracba/cba/snapshot"
)

// BenchmarkBulk plans and applies values for 10,000 users against a service that
// answers after 30 ms, without the pace that Graph's quota asks for, and says how
// long it took, how much memory was held at the most and how many connections were
// made.
func BenchmarkBulk(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		in, edits := crowd(10_000)
		g, err := graphtest.New(in, graphtest.Options{Latency: 30 * time.Millisecond, KeepRequests: -1})
		if err != nil {
			b.Fatal(err)
		}
		s := graphtest.Serve(g)
		var dials atomic.Int64
		transport := s.Client().Transport.(*http.Transport)
		dial := transport.DialContext
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			return dial(ctx, network, address)
		}
		c := newClient(b, s)
		c.WriteRate = -1
		var peak uint64
		b.StartTimer()
		n := 0
		for p, err := range c.ApplyUsers(b.Context(), c.PlanUsers(b.Context(), snapshot.Edits(edits...)), graph.EditOptions{}) {
			if err != nil || p.Outcome != graph.Written {
				b.Fatal(p, err)
			}
			if n++; n%1000 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}
		}
		b.StopTimer()
		if n != len(edits) {
			b.Fatal(n)
		}
		s.Close()
		b.ReportMetric(float64(peak)/(1<<20), "MB-heap")
		b.ReportMetric(float64(dials.Load()), "dials")
		b.StartTimer()
	}
}
