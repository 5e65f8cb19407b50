package entracba_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var secretName = regexp.MustCompile(`(?i)(password|passphrase|pin|secret)s?$`)

// TestSecretsAreNotWritten reads every exported struct: a field that is a private
// key, or has the name of a secret, is left out of JSON, or its struct writes its
// JSON itself; and such a struct formats itself, so that %v and log/slog show no
// secret.
func TestSecretsAreNotWritten(t *testing.T) {
	looked := 0
	for _, room := range house(t) {
		if isProgram(room.name) || strings.Contains(room.name, "/internal/") {
			continue
		}
		methods := map[string]bool{}
		var files []*ast.File
		set := token.NewFileSet()
		for _, name := range room.files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(set, filepath.Join(room.dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && len(f.Recv.List) == 1 {
					methods[receiver(f.Recv.List[0].Type)+"."+f.Name.Name] = true
				}
			}
		}
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok || !spec.Name.IsExported() {
					return true
				}
				s, ok := spec.Type.(*ast.StructType)
				if !ok {
					return true
				}
				for _, field := range s.Fields.List {
					for _, id := range field.Names {
						if !id.IsExported() || !secret(id.Name, field.Type) {
							continue
						}
						looked++
						name := room.name + "." + spec.Name.Name + "." + id.Name
						tag := ""
						if field.Tag != nil {
							tag, _ = strconv.Unquote(field.Tag.Value)
						}
						if reflect.StructTag(tag).Get("json") != "-" && !methods[spec.Name.Name+".MarshalJSON"] {
							t.Errorf("%s: %s goes into JSON", set.Position(id.Pos()), name)
						}
						if !methods[spec.Name.Name+".Format"] {
							t.Errorf("%s: %s has no method Format, and shows %s", set.Position(id.Pos()), spec.Name.Name, id.Name)
						}
					}
				}
				return true
			})
		}
	}
	if looked < 8 {
		t.Errorf("only %d secrets were found", looked)
	}
}

// secret tells the fields that must not be shown.
func secret(name string, kind ast.Expr) bool {
	switch k := kind.(type) {
	case *ast.SelectorExpr:
		if x, ok := k.X.(*ast.Ident); ok && x.Name == "crypto" {
			return k.Sel.Name == "Signer" || k.Sel.Name == "PrivateKey" || k.Sel.Name == "Decrypter"
		}
	case *ast.Ident:
		return k.Name == "string" && secretName.MatchString(name)
	case *ast.ArrayType:
		e, ok := k.Elt.(*ast.Ident)
		return ok && (e.Name == "byte" || e.Name == "string") && secretName.MatchString(name)
	}
	return false
}

// receiver names the type of a method.
func receiver(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
