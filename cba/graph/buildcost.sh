#!/bin/sh
# Measures what it costs to build a program from nothing: one that imports
# cba/graph, one that imports the SDK's root, and one that imports every other
# package of this module. Each gets an empty build cache; the source is downloaded
# before. The root takes minutes and some 5 GB of memory.
#
#   cba/graph/buildcost.sh [graph] [rest] [sdk]
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go mod download

program() { # name, imports
	mkdir -p "cba/graph/testdata/buildcost"
	dir=$(mktemp -d cba/graph/testdata/buildcost/XXXXXX)
	{
		echo "package main"
		for p in $2; do echo "import _ \"$p\""; done
		echo "func main() {}"
	} >"$dir/main.go"
	cache="$work/$1"
	mkdir "$cache"
	n=$(go list -deps "./$dir" | wc -l)
	begin=$(date +%s)
	GOCACHE="$cache" go build -o "$work/program" "./$dir" || { rm -rf "$dir"; exit 1; }
	end=$(date +%s)
	rm -rf "$dir"
	rmdir "cba/graph/testdata/buildcost" 2>/dev/null || true
	echo "$1: $((end - begin)) s, $n packages, $(du -sm "$cache" | cut -f1) MB of cache, $(du -k "$work/program" | cut -f1) KB of program"
	rm -rf "$cache" "$work/program"
}

for what in ${*:-graph rest sdk}; do
	case $what in
	graph) program graph example.com/entracba/cba/graph ;;
	rest) program rest "$(go list ./cba/... | grep -v -e '/graph$' -e /internal/ | tr '\n' ' ')" ;;
	sdk) program sdk github.com/microsoftgraph/msgraph-sdk-go ;;
	*) echo "buildcost.sh: graph, rest or sdk, not $what" >&2; exit 2 ;;
	esac
done
