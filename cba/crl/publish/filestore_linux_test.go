package publish_test

import (
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.com/entracba/cba/crl"
	"example.com/entracba/cba/crl/internal/crltest"
	"example.com/entracba/cba/crl/publish"
)

// fullDisk makes every file of this process end after so many bytes.
func fullDisk(limit uint64) {
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		panic(err)
	}
}

// When the disk is full, an error comes back and the old ledger stays. The
// limit is one of the process, so the test runs in one of its own.
func TestFullDisk(t *testing.T) {
	if path := os.Getenv("CRL_TEST_FULL"); path != "" {
		fullDisk(600)
		ca := helperAuthority()
		issuer := &publish.Issuer{Certificate: ca.Cert, Key: ca.Key, Store: publish.FileStore{Path: path}}
		for serial := range int64(100) {
			err := issuer.Revoke(ctx, crl.Revocation{Serial: big.NewInt(1000 + serial), Time: crltest.At()})
			if err == nil {
				continue
			}
			if serial < 3 || !strings.Contains(err.Error(), "file too large") {
				t.Fatalf("revocation %d: %v", serial, err)
			}
			if _, err := os.Stat(path + ".new"); err == nil {
				t.Error("the temporary file stays")
			}
			fmt.Println("revoked", serial)
			return
		}
		t.Fatal("the disk is not full")
	}
	path := filepath.Join(t.TempDir(), "ledger")
	ca := helperAuthorityOf(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$")
	cmd.Env = append(os.Environ(), "CRL_TEST_FULL="+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var count int
	if _, err := fmt.Sscanf(string(out), "revoked %d", &count); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	issuer := &publish.Issuer{Certificate: ca.Cert, Key: ca.Key, Store: publish.FileStore{Path: path}}
	list, err := issuer.Base(ctx, publish.Options{ThisUpdate: crltest.At()})
	if err != nil || list.Len() != count {
		t.Errorf("%v, not %d entries, %v", list, count, err)
	}
}
