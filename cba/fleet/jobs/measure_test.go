//go:build unix

package jobs

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/entracba/cba"
	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/postgres/pgtest"
	"example.com/entracba/cba/graph/graphtest"
)

// The sizes of TestMeasure. Those of docs/scale.md:
//
//	go test -v -run 'TestMeasure/postgres/issue' -timeout 3h -measure.users 100000 -measure.machines 2 -measure.kills 10 .
//	go test -v -run 'TestMeasure/sqlite/issue' -timeout 3h -measure.users 20000 -measure.kills 10 .
//	go test -v -run 'TestMeasure/postgres/enqueue' -timeout 1h -measure.users 1000000 .
//	go test -v -run 'TestMeasure/postgres/bind' -timeout 1h -measure.users 10000 -measure.machines 3 .
var (
	measureUsers    = flag.Int("measure.users", 200, "users of TestMeasure")
	measureMachines = flag.Int("measure.machines", 2, "processes of TestMeasure")
	measureKills    = flag.Int("measure.kills", 1, "how often TestMeasure kills a process")
)

// TestMeasure is small, or as large as its flags say, and tells how long it took.
func TestMeasure(t *testing.T) {
	for _, database := range []string{"postgres", "sqlite"} {
		t.Run(database, func(t *testing.T) {
			for name, measure := range map[string]func(*testing.T, site){"enqueue": measureEnqueue, "issue": measureIssue, "bind": measureBind} {
				t.Run(name, func(t *testing.T) {
					url := ""
					if database == "postgres" {
						url = pgtest.Start(t, "", "shared_buffers=256MB", "max_wal_size=4GB").Database(t)
					}
					measure(t, newSite(t, url))
				})
			}
		})
	}
}

func measureEnqueue(t *testing.T, s site) {
	m, n := s.machine(t, nil), *measureUsers
	// It is interrupted once, and the whole list is added again.
	ctx, cancel := context.WithCancel(t.Context())
	begun := time.Now()
	first, err := m.Enqueue(ctx, func(yield func(cba.Task, error) bool) {
		i := 0
		for task, err := range list(n) {
			if i++; i == n/2 {
				cancel()
			}
			if !yield(task, err) {
				return
			}
		}
	})
	cancel()
	t.Logf("interrupted after %v: %+v, %v", time.Since(begun).Round(time.Millisecond), first, err)
	begun = time.Now()
	again := m.enqueue(n)
	took := time.Since(begun)
	begun = time.Now()
	known := m.enqueue(n)
	t.Logf("the rest: %+v in %v; nothing new: %+v in %v", again, took.Round(time.Millisecond), known, time.Since(begun).Round(time.Millisecond))
	begun = time.Now()
	status, err := m.Status(t.Context())
	t.Logf("status in %v", time.Since(begun).Round(time.Millisecond))
	if err != nil || status.Requests != n || status.Left() != n || first.Added+again.Added != n || known.Added != 0 {
		t.Errorf("%+v, %v", status, err)
	}
}

func measureIssue(t *testing.T, s site) {
	users, machines := *measureUsers, *measureMachines
	if s.postgres == "" {
		machines = 1
	}
	m := s.machine(t, nil)
	m.enqueue(users)
	t.Setenv(siteFast, "1")
	begun := time.Now()
	var running []*process
	for range machines {
		running = append(running, s.process(t))
	}
	killed, most := 0, 0
	last, lastAt := 0, begun
	for {
		time.Sleep(250 * time.Millisecond)
		status, err := m.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done := status.Certificates[ledger.Delivered]
		for _, p := range running {
			most = max(most, resident(p.Process.Pid))
		}
		if took := time.Since(lastAt); took > 30*time.Second {
			t.Logf("%6.0f s: %d delivered, %.0f a second, %d given up, at most %d MB a process", time.Since(begun).Seconds(), done, float64(done-last)/took.Seconds(), status.GivenUp, most>>20)
			last, lastAt = done, time.Now()
		}
		if done == users && status.Left() == 0 && status.Unlisted == 0 {
			break
		}
		if killed < *measureKills && done > (killed+1)*users/(*measureKills+1) {
			killed++
			p := &running[rand.IntN(len(running))]
			(*p).Process.Kill()
			(*p).Wait()
			*p = s.process(t)
		}
		if time.Since(begun) > 3*time.Hour {
			t.Fatalf("%+v", status)
		}
	}
	took := time.Since(begun)
	m.settle(s)
	for _, p := range running {
		p.end(t)
	}
	status, err := m.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d users by %d processes in %v: %.0f a second; killed %d times, %d certificates given up, %d on the CRL; at most %d MB a process",
		users, machines, took.Round(time.Millisecond), float64(users)/took.Seconds(), killed, status.GivenUp, crlLength(t, s), most>>20)
	if killed < *measureKills {
		t.Errorf("killed only %d times", killed)
	}
	s.audit(t, m, users)
}

func crlLength(t *testing.T, s site) int {
	if list := s.crl(t); list != nil {
		return list.Len()
	}
	return 0
}

// resident is the memory of a process in bytes, 0 where /proc does not tell.
func resident(pid int) int {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	n := 0
	fmt.Sscan(rest, &n)
	return n << 10
}

// measureBind binds users whose certificates exist, from several machines, with a Graph
// that takes 30 ms and throttles at times.
func measureBind(t *testing.T, s site) {
	users, machines := *measureUsers, *measureMachines
	if s.postgres == "" {
		machines = 1
	}
	server := tenant(t, users, graphtest.Options{Latency: 30 * time.Millisecond, KeepRequests: 4*users + 1000})
	if err := server.Inject(graphtest.Fault{Kind: graphtest.Throttled, Method: "PATCH", Path: "/users/*", Skip: users / 3, Times: 20, RetryAfter: 5 * time.Second}); err != nil {
		t.Fatal(err)
	}
	var all []*machine
	for range machines {
		all = append(all, s.machine(t, func(c *Config) { c.Graph = client(t, server); c.Lease = 15 * time.Second }))
	}
	m := all[0]
	m.enqueue(users)
	begun := time.Now()
	for _, m := range all {
		m.start()
	}
	m.within(time.Hour, "all bound", func() bool {
		status, err := m.Status(t.Context())
		return err == nil && status.Certificates[ledger.Delivered] == users
	})
	took := time.Since(begun)
	for _, m := range all {
		m.stop()
	}
	bound(t, m, server, users)
	writes, accepted, batches := patches(server)
	t.Logf("%d users by %d machines in %v: %d writes in %d batches, %d accepted", users, machines, took.Round(time.Millisecond), writes, batches, accepted)
	if accepted != users {
		t.Errorf("%d writes were accepted, want one for each of %d users", accepted, users)
	}
	// After the burst, 20 writes a second.
	if least := time.Duration(max(0, users-burst)/20) * time.Second; took < least {
		t.Errorf("faster than the pace: %v, at least %v", took, least)
	}
}
