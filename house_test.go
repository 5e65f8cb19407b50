package entracba_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "example.com/entracba"

// imports is who may import whom, and which modules a package may use beside the
// standard library. It is an allow-list: a new package or a new import has to be
// written down here before it builds a habit. Arrows go down only.
var imports = map[string][]string{
	"":                         nil,
	"cba/aadsts":               {"cba/internal/enum", "cba/lint"},
	"cba/internal/dialect":     {"cba/internal/text", "cba/internal/wire"},
	"cba/internal/enum":        nil,
	"cba/internal/fingerprint": nil,
	"cba/internal/fips":        nil,
	"cba/internal/filelock":    nil,
	"cba/internal/san":         {"golang.org/x/crypto"},
	"cba/internal/path":        {"cba/dn", "cba/internal/fips", "cba/internal/san", "cba/internal/text", "golang.org/x/crypto"},
	"cba/internal/sign":        nil,
	"cba/internal/signed":      nil,
	"cba/internal/interop":     nil,
	"cba/internal/certs":       {"golang.org/x/crypto"},
	"cba/internal/der":         nil,
	"cba/internal/text":        nil,
	"cba/internal/wire":        nil,
	"cba/certfile":             {"cba", "cba/dn", "cba/internal/certs", "cba/pfx"},
	"cba/keyid":                nil,
	"cba/lint":                 {"cba/internal/enum"},
	"cba/dn":                   {"golang.org/x/crypto"},
	"cba/certuserid":           {"cba/dn", "cba/internal/fingerprint", "cba/internal/san", "cba/lint", "golang.org/x/crypto"},
	"cba/pfx":                  {"cba/dn", "cba/internal/certs", "cba/internal/fips", "cba/internal/signed", "cba/lint", "golang.org/x/crypto"},
	"cba":                      {"cba/dn", "cba/internal/certs", "cba/internal/enum", "cba/internal/fingerprint", "cba/internal/fips", "cba/internal/path", "cba/internal/san", "cba/internal/sign", "cba/internal/signed", "cba/internal/text", "cba/lint", "golang.org/x/crypto"},
	"cba/trust":                {"cba/dn", "cba/internal/certs", "cba/internal/fingerprint", "cba/internal/path", "cba/lint", "golang.org/x/crypto"},
	"cba/policy":               {"cba/certuserid", "cba/dn", "cba/internal/san", "cba/lint"},
	"cba/signin":               {"cba/aadsts", "cba/internal/certs", "cba/internal/path", "cba", "cba/policy", "cba/trust", "cba/crl", "cba/certuserid", "cba/dn", "cba/internal/fingerprint", "cba/lint"},
	"cba/deploy":               {"cba/internal/path", "cba/dn", "cba/internal/enum", "cba/internal/fingerprint", "cba/internal/text", "cba/lint", "cba/pfx", "howett.net/plist"},
	"cba/intune":               {"cba", "cba/dn", "cba/internal/enum", "cba/lint"},
	"cba/propose":              {"cba", "cba/certuserid", "cba/crl", "cba/dn", "cba/internal/fingerprint", "cba/policy", "cba/signin", "cba/trust", "golang.org/x/crypto"},
	"cba/report":               {"cba/aadsts", "cba/certuserid", "cba/dn", "cba/lint", "cba/policy", "cba/signin", "cba/snapshot", "cba/trust"},
	"cba/lifecycle":            {"cba/certuserid", "cba/crl", "cba/dn", "cba/snapshot"},
	"cba/graph/graphtest":      {"cba/internal/enum", "cba/internal/fingerprint", "cba/internal/wire", "github.com/Azure/azure-sdk-for-go/sdk/azcore"},
	"cba/snapshot":             {"cba", "cba/crl", "cba/dn", "cba/trust", "cba/internal/dialect", "cba/internal/text", "cba/aadsts", "cba/signin", "cba/policy", "cba/certuserid", "cba/internal/enum", "cba/internal/wire"},
	"cba/graph": {"cba/internal/enum", "cba/internal/wire", "cba/snapshot", "cba/signin", "cba/policy", "cba/trust", "cba/lint",
		"github.com/Azure/azure-sdk-for-go/sdk/azcore", "github.com/microsoft/kiota-abstractions-go", "github.com/microsoft/kiota-http-go",
		"github.com/microsoft/kiota-serialization-form-go", "github.com/microsoft/kiota-serialization-json-go",
		"github.com/microsoft/kiota-serialization-multipart-go", "github.com/microsoft/kiota-serialization-text-go",
		"github.com/microsoftgraph/msgraph-sdk-go-core"},

	// CRLs.
	"cba/crl": {"cba/crl/internal/layout", "cba/crl/internal/netaddr", "cba/crl/internal/sig", "cba/dn", "cba/internal/der", "cba/internal/enum",
		"cba/internal/text", "cba/lint", "golang.org/x/crypto"},
	"cba/folder":               {"cba", "cba/certfile", "cba/certuserid", "cba/dn", "cba/internal/filelock", "cba/internal/fingerprint", "cba/internal/wire", "golang.org/x/text"},
	"cba/crl/fetch":            {"cba/crl", "cba/crl/internal/layout", "cba/crl/internal/netaddr", "cba/internal/der"},
	"cba/crl/internal/crltest": {"cba/crl"},
	"cba/crl/internal/layout":  nil,
	"cba/crl/internal/netaddr": nil,
	"cba/crl/internal/sig":     {"cba/internal/fips", "cba/internal/sign"},
	"cba/crl/publish":          {"cba/crl", "cba/crl/internal/layout", "cba/crl/internal/sig", "cba/internal/der", "cba/internal/text", "cba/internal/filelock"},

	// The module cba/fleet. A ledger knows nothing of a tenant.
	"cba/fleet/ledger":     {"cba", "cba/crl"},
	"cba/fleet/ledgertest": {"cba", "cba/crl", "cba/dn", "cba/fleet/ledger"},
	"cba/fleet/rollout":    {"cba", "cba/crl", "cba/crl/publish", "cba/fleet/ledger", "cba/pfx", "cba/folder"},
	"cba/fleet/sqlite":     {"cba", "cba/crl", "cba/fleet/ledger", "modernc.org/sqlite"},
	"cba/fleet/token":      {"cba", "cba/dn", "cba/folder", "github.com/ThalesGroup/crypto11", "github.com/miekg/pkcs11"},

	// The module cba/fleet/postgres.
	"cba/fleet/postgres":        {"cba", "cba/crl", "cba/crl/publish", "cba/fleet/ledger", "github.com/jackc/pgx/v5"},
	"cba/fleet/postgres/pgtest": {"github.com/jackc/pgx/v5"},

	// The module cba/fleet/s3. It satisfies an interface of cba/fleet/jobs without it.
	"cba/fleet/s3": {"github.com/minio/minio-go"},

	// The module cba/fleet/jobs, where the ledger meets the tenant.
	"cba/fleet/jobs": {"cba", "cba/certuserid", "cba/crl", "cba/crl/publish", "cba/dn", "cba/fleet/ledger", "cba/fleet/postgres", "cba/fleet/sqlite",
		"cba/folder", "cba/graph", "cba/lifecycle", "cba/pfx", "cba/snapshot", "github.com/jackc/pgx/v5", "github.com/riverqueue/river"},
}

// ground is what stands below everything and may be imported by any package of
// cba without a line above.
var ground = []string{"cba/internal/der", "cba/internal/dialect", "cba/internal/enum", "cba/internal/text", "cba/internal/wire", "cba/keyid", "cba/lint"}

// outside is who may reach the network or files. Everybody else takes and returns
// values.
var outside = map[string][]string{
	"cba/crl":                   {"os"}, // Dir
	"cba/crl/fetch":             {"net", "net/http", "syscall"},
	"cba/crl/publish":           {"os", "syscall"},
	"cba/graph":                 {"net", "net/http"},
	"cba/graph/graphtest":       {"net", "net/http", "net/http/httptest"},
	"cba/internal/interop":      {"os", "os/exec"},
	"cba/fleet/rollout":         {"os"},
	"cba/fleet/sqlite":          {"os"},
	"cba/fleet/token":           {"os"},
	"cba/fleet/postgres":        {"net"}, // its errors
	"cba/fleet/postgres/pgtest": {"os", "os/exec", "os/user", "syscall"},
	"cba/fleet/jobs":            {"os"}, // a store
	"cba/fleet/s3":              {"net", "net/http"},
	"cba/folder":                {"os", "syscall"},
	"cba/internal/filelock":     {"os", "syscall"},
}

// forbidden has the packages of the standard library that need a line in outside.
// net/netip and net/url are values.
var forbidden = regexp.MustCompile(`^(os|os/.*|net|net/http|net/http/.*|net/smtp|net/rpc|net/textproto|syscall|io/ioutil|plugin|unsafe)$`)

// The examples are programs; they may use every package that others may use.
const examples = "examples/"

// A room is one package as the go command lists it.
type room struct {
	name, dir string // without the module's path in front
	files     []string
	imports   []string
}

// house lists the packages of every module of go.work.
func house(t *testing.T) []room {
	t.Helper()
	rooms, err := listed()
	if err != nil {
		t.Fatal(err)
	}
	return rooms
}

// listed asks the go command once for all tests.
var listed = sync.OnceValues(func() ([]room, error) {
	work, err := os.ReadFile("go.work")
	if err != nil {
		return nil, err
	}
	modules := regexp.MustCompile(`(?m)^\t(\.\S*)$`).FindAllStringSubmatch(string(work), -1)
	if len(modules) < 3 {
		return nil, fmt.Errorf("go.work has only %d modules", len(modules))
	}
	var rooms []room
	for _, m := range modules {
		list := exec.Command("go", "list", "-f", `{{.ImportPath}}|{{.Dir}}|{{join .GoFiles " "}} {{join .CgoFiles " "}} {{join .IgnoredGoFiles " "}}|{{join .Imports " "}}`, "./...")
		list.Dir = m[1]
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("go list in %s: %w", m[1], err)
		}
		before := len(rooms)
		for line := range strings.Lines(string(out)) {
			part := strings.Split(strings.TrimSpace(line), "|")
			rooms = append(rooms, room{
				name: strings.TrimPrefix(strings.TrimPrefix(part[0], module), "/"), dir: part[1],
				files: strings.Fields(part[2]), imports: strings.Fields(part[3]),
			})
		}
		if len(rooms) == before {
			return nil, fmt.Errorf("module %s has no packages", m[1])
		}
	}
	return rooms, nil
})

func isProgram(name string) bool { return strings.HasPrefix(name, examples) }

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, room := range house(t) {
		allowed, known := imports[room.name]
		seen[room.name] = true
		if !known && !isProgram(room.name) {
			t.Errorf("package %s is not in the picture of this test", room.name)
			continue
		}
		for _, path := range room.imports {
			inner, own := strings.CutPrefix(path, module+"/")
			switch {
			case isProgram(room.name):
				if own && strings.Contains(inner, "internal/") && !isProgram(inner) {
					t.Errorf("%s imports %s: an example may use only what its readers can", room.name, inner)
				}
			case own && strings.HasPrefix(room.name, "cba/fleet/") && strings.Contains(inner, "internal/") && !strings.HasPrefix(inner, "cba/fleet/"):
				t.Errorf("%s imports %s: another module's internal package", room.name, inner)
			case path == "C" || !strings.Contains(strings.SplitN(path, "/", 2)[0], "."):
				// The standard library.
			case slices.Contains(ground, inner) && !slices.Contains(ground, room.name):
			case !slices.ContainsFunc(allowed, func(a string) bool {
				return inner == a || strings.HasPrefix(inner, a+"/") && strings.Contains(a, ".")
			}):
				t.Errorf("%s imports %s, which the picture does not show", room.name, inner)
			}
		}
		for _, arrow := range allowed {
			if strings.HasPrefix(arrow, "cba") && !slices.Contains(room.imports, module+"/"+arrow) {
				t.Errorf("the picture has an arrow from %s to %s, and no import", room.name, arrow)
			}
		}
	}
	for name := range imports {
		if !seen[name] {
			t.Errorf("the picture has %q, which does not exist", name)
		}
	}
}

// TestOutside holds the walls to the network and to files, and that no package logs.
func TestOutside(t *testing.T) {
	for _, room := range house(t) {
		if isProgram(room.name) {
			continue
		}
		for _, path := range room.imports {
			if room.name == "cba/fleet/jobs" && path == "log/slog" {
				continue // a logger that discards, for an engine that would log without one
			}
			if strings.HasPrefix(path, "log") && (path == "log" || strings.HasPrefix(path, "log/")) {
				t.Errorf("%s imports %s: packages do not log, they return", room.name, path)
			}
			if forbidden.MatchString(path) && !slices.Contains(outside[room.name], path) {
				t.Errorf("%s imports %s, and is not listed among those that may", room.name, path)
			}
		}
	}
}

// TestNoHTTP holds that reading and checking CRLs, and deciding sign-ins with them,
// links no HTTP: who wants CRLs from the network imports cba/crl/fetch.
func TestNoHTTP(t *testing.T) {
	rooms := []string{"cba/crl", "cba/crl/publish", "cba/policy", "cba/trust", "cba/signin", "cba/lifecycle"}
	args := []string{"list", "-f", `{{.ImportPath}} {{join .Deps " "}}`}
	for _, name := range rooms {
		args = append(args, module+"/"+name)
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	looked := 0
	for line := range strings.Lines(string(out)) {
		deps := strings.Fields(line)
		if name := strings.TrimPrefix(deps[0], module+"/"); len(deps) < 20 || !slices.Contains(rooms, name) {
			t.Fatalf("%s: only %q", name, deps)
		}
		if looked++; slices.Contains(deps, "net/http") {
			t.Errorf("%s imports net/http, itself or through another package", deps[0])
		}
	}
	if looked != len(rooms) {
		t.Errorf("looked at %d packages of %d", looked, len(rooms))
	}
}

// TestNoGlobalState fails for a function init, for an exported variable, which any
// importer could change, and for a variable of a package that a function assigns.
func TestNoGlobalState(t *testing.T) {
	looked := 0
	for _, room := range house(t) {
		if isProgram(room.name) {
			continue
		}
		set := token.NewFileSet()
		var files []*ast.File
		globals := map[string]bool{}
		for _, name := range room.files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(set, filepath.Join(room.dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
			for _, d := range file.Decls {
				if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
					for _, spec := range g.Specs {
						for _, id := range spec.(*ast.ValueSpec).Names {
							if id.Name == "_" {
								continue
							}
							globals[id.Name] = true
							looked++
							if id.IsExported() {
								t.Errorf("%s: %s is an exported variable", set.Position(id.Pos()), id.Name)
							}
						}
					}
				}
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
					t.Errorf("%s: init", set.Position(f.Pos()))
				}
			}
		}
		for _, file := range files {
			for _, d := range file.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok || f.Body == nil {
					continue
				}
				ast.Inspect(f.Body, func(n ast.Node) bool {
					var changed []ast.Expr
					switch n := n.(type) {
					case *ast.AssignStmt:
						if n.Tok != token.DEFINE {
							changed = n.Lhs
						}
					case *ast.IncDecStmt:
						changed = []ast.Expr{n.X}
					case *ast.UnaryExpr:
						if n.Op == token.AND {
							changed = []ast.Expr{n.X}
						}
					}
					for _, e := range changed {
						if id := root(e); id != nil && globals[id.Name] && isGlobal(id, f) {
							t.Errorf("%s: %s is state of the package", set.Position(id.Pos()), id.Name)
						}
					}
					return true
				})
			}
		}
	}
	if looked < 30 {
		t.Errorf("only %d variables were looked at", looked)
	}
}

// root returns the variable that an expression reaches into: v of v[i].f.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// isGlobal reports whether an identifier in a function is not one of its own
// variables. The parser has resolved those; what it did not resolve, or what is
// declared outside the function, belongs to the package.
func isGlobal(id *ast.Ident, f *ast.FuncDecl) bool {
	if id.Obj == nil {
		return true
	}
	decl, ok := id.Obj.Decl.(ast.Node)
	return !ok || decl.Pos() < f.Pos() || decl.Pos() > f.End()
}

// sha1 has the packages that may use SHA-1, MD5, DES or RC4: to name things, to check
// old CRLs, to read and write PFX files. Only the first makes a SHA-1 under
// GODEBUG=fips140=only; the others return an error there.
var sha1 = []string{"cba/internal/fingerprint", "cba/crl/internal/sig", "cba/pfx"}

func TestOldHashes(t *testing.T) {
	for _, room := range house(t) {
		for _, path := range room.imports {
			if old := []string{"crypto/sha1", "crypto/md5", "crypto/des", "crypto/rc4"}; slices.Contains(old, path) && !slices.Contains(sha1, room.name) {
				t.Errorf("%s imports %s: a name made of SHA-1 is what cba/internal/fingerprint is for", room.name, path)
			}
		}
	}
}

// unbounded has the files that read a whole input without saying how large it may be, and
// why that does no harm. Everybody else reads with folder.Read or behind a limit.
var unbounded = map[string]string{
	"examples/page/main.go":         "the files of the Go installation, and what was just built",
	"examples/lab/browser/pages.go": "what it has just written",
	"examples/internal/programtest": "golden files",
	"examples/compare":              "the module's own files",
	"cba/fleet/postgres/pgtest":     "the log of a server for tests",
	"cba/deploy/places.go":          "behind the size of the file",
	"cba/snapshot/folder.go":        "behind the size of the file",
	"examples/enroll/demo.go":       "the answer of its own service",
}

var wholeReads = regexp.MustCompile(`\b(?:os|fs|root)\.ReadFile\(|\bio\.ReadAll\(`)

func TestReadsAreBounded(t *testing.T) {
	used := map[string]bool{}
	for _, room := range house(t) {
		for _, name := range room.files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(filepath.Join(room.dir, name))
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(text)) {
				if !wholeReads.MatchString(line) || strings.Contains(line, "io.LimitReader(") || strings.Contains(line, "http.MaxBytesReader(") {
					continue
				}
				place := room.name + "/" + name
				for _, known := range []string{room.name, place} {
					if unbounded[known] != "" {
						place, used[known] = "", true
					}
				}
				if place != "" {
					t.Errorf("%s reads without a limit: %s", place, strings.TrimSpace(line))
				}
			}
		}
	}
	for place := range unbounded {
		if !used[place] {
			t.Errorf("%s reads nothing whole: take it off the list", place)
		}
	}
}
