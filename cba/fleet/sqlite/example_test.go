package sqlite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"example.com/entracba/cba/fleet/ledger"
	"example.com/entracba/cba/fleet/sqlite"
)

// Two programs mean to issue for one user: one of them does.
func ExampleOpen() {
	folder, err := os.MkdirTemp("", "ledger")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	ctx := context.Background()
	for _, program := range []string{"here", "there"} {
		l, err := sqlite.Open(ctx, filepath.Join(folder, "ledger.db"), sqlite.Options{})
		if err != nil {
			log.Fatal(err)
		}
		defer l.Close()
		answer, err := l.Claim(ctx, "jane@yourdomain.com", ledger.Claim{Worker: program, Lease: time.Minute})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(program, answer)
	}
	// Output:
	// here granted
	// there taken
}
