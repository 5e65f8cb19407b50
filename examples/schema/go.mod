module example.com/entracba/examples/schema

go 1.26.0

// The validator is for this test alone: nobody who imports the library or builds a
// program gets it.
require github.com/santhosh-tekuri/jsonschema/v6 v6.0.3

require golang.org/x/text v0.44.0 // indirect
