package graphtest_test

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/entracba/cba/graph/graphtest"
)

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := graphtest.New(graphtest.Tenant{}, graphtest.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// One find by value, one batch of 20 writes and one page, in a tenant of 10,000.
func BenchmarkServeHTTP(b *testing.B) {
	var names []string
	for i := range 10_000 {
		names = append(names, fmt.Sprintf("user%05d", i))
	}
	g, err := graphtest.New(graphtest.Tenant{Users: people(names...)}, graphtest.Options{KeepRequests: -1})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	batch := func() string {
		var parts []string
		for i := range 20 {
			n++
			parts = append(parts, patchPart(fmt.Sprint(i), names[n%len(names)], fmt.Sprint(n)))
		}
		return `{"requests":[` + strings.Join(parts, ",") + `]}`
	}
	for _, bb := range []struct {
		name, request string
		body          func() string
	}{
		{"find", "GET /users?$select=id&$count=true&$filter=authorizationInfo/certificateUserIds/any(x:x eq 'v')", func() string { return "" }},
		{"batch", "POST /$batch", batch},
		{"page", "GET /users?$select=id,authorizationInfo&$top=999", func() string { return "" }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				g.ServeHTTP(w, newRequest(bb.request, bb.body(), eventual))
				if w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}

// 10,000 users written in batches of 20 by four workers, over TLS, every answer
// taking 30 ms at least: what is left to a client that has 25 s for it.
func BenchmarkApply10000(b *testing.B) {
	var names []string
	for i := range 10_000 {
		names = append(names, fmt.Sprintf("user%05d", i))
	}
	for b.Loop() {
		g, err := graphtest.New(graphtest.Tenant{Users: people(names...)}, graphtest.Options{Latency: 30 * time.Millisecond, KeepRequests: -1})
		if err != nil {
			b.Fatal(err)
		}
		s := graphtest.Serve(g)
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Go(func() {
				for at := worker * 20; at < len(names); at += 80 {
					var parts []string
					for i, name := range names[at : at+20] {
						parts = append(parts, patchPart(fmt.Sprint(i), name, name))
					}
					r, err := request(s, "POST", "/v1.0/$batch", `{"requests":[`+strings.Join(parts, ",")+`]}`)
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
			})
		}
		wg.Wait()
		s.Close()
		if got := g.Tenant().Users[9_999].CertificateUserIDs; len(got) != 1 {
			b.Fatalf("%q", got)
		}
	}
}
