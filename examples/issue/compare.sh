#!/usr/bin/env bash
# Issues the same users twice on this machine, in turns: with the four openssl
# commands per user that guides show (genrsa, req, x509 -req, pkcs12 -export), and
# with this program. Prints seconds and ratios.
#
#   examples/issue/compare.sh [users] [rounds]
#
# Both use the same CA, with a key of the users' type, and write one PFX per user
# with the compatible encoding. The shell loop uses one core, so the program is
# measured on one core first, and then on all of them.
# Finding RSA primes takes a random time: use 100 users or more for steady figures.
set -euo pipefail
cd "$(dirname "$0")/../.."
users=${1:-100}
rounds=${2:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/issue" ./examples/issue

{ echo upn; for i in $(seq "$users"); do echo "user$i@yourdomain.com"; done; } >"$work/users.csv"
echo 'TempDeploy2024' >"$work/password"
for key in rsa2048 p256; do
  type=(-newkey rsa:2048)
  [ "$key" = rsa2048 ] || type=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1)
  mkdir "$work/ca-$key"
  openssl req -x509 "${type[@]}" -nodes -keyout "$work/ca-$key/rootCA.key" -out "$work/ca-$key/rootCA.crt" \
    -subj '/CN=Compare Root CA' -days 3650 \
    -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
done

# The loop of the guide, its password in a file and not on the command line.
loop() {
  local key=$1 out=$2 ca=$work/ca-$1 upn name
  mkdir -p "$out"
  tail -n +2 "$work/users.csv" | while read -r upn; do
    name=$out/${upn%@*}
    case $key in
      rsa2048) openssl genrsa -out "$name.key" 2048 ;;
      p256) openssl ecparam -name prime256v1 -genkey -noout -out "$name.key" ;;
    esac 2>/dev/null
    openssl req -new -key "$name.key" -out "$name.csr" -subj "/CN=$upn" \
      -addext "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:$upn" 2>/dev/null
    openssl x509 -req -in "$name.csr" -CA "$ca/rootCA.crt" -CAkey "$ca/rootCA.key" -CAcreateserial \
      -out "$name.crt" -days 365 -sha256 -copy_extensions copyall 2>/dev/null
    openssl pkcs12 -export -out "$name.pfx" -inkey "$name.key" -in "$name.crt" -certfile "$ca/rootCA.crt" \
      -legacy -passout "file:$work/password" 2>/dev/null
    rm -f "$name.key" "$name.csr" "$name.crt"
  done
}

program() {
  local key=$1 cores=$2 out=$3
  GOMAXPROCS=$cores "$work/issue" -users "$work/users.csv" -ca "$work/ca-$key" -key "$key" -for compat -out "$out" >/dev/null
}

# seconds COMMAND ...: how long it took.
seconds() {
  local start=$EPOCHREALTIME
  "$@"
  awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", b - a }'
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

cores=$(nproc)
printf '%s users, median of %s rounds, %s\n\n' "$users" "$rounds" "$(openssl version | cut -d' ' -f1,2)"
printf '%-8s  %12s  %12s  %7s  %14s  %7s\n' key 'openssl loop' 'on one core' ratio "on $cores cores" ratio
for key in rsa2048 p256; do
  for round in $(seq "$rounds"); do
    seconds loop "$key" "$work/a$key$round" >>"$work/$key.openssl"
    seconds program "$key" 1 "$work/b$key$round" >>"$work/$key.one"
    seconds program "$key" "$cores" "$work/c$key$round" >>"$work/$key.all"
    for folder in a$key$round c$key$round/users; do
      made=$(find "$work/$folder" -name '*.pfx' | wc -l)
      [ "$made" -eq "$users" ] || { echo "only $made files in $folder" >&2; exit 1; }
    done
    rm -rf "$work"/[abc]"$key$round"
  done
  a=$(median <"$work/$key.openssl") b=$(median <"$work/$key.one") c=$(median <"$work/$key.all")
  awk -v k="$key" -v a="$a" -v b="$b" -v c="$c" \
    'BEGIN { printf "%-8s  %10.2f s  %10.2f s  %6.1fx  %12.2f s  %6.1fx\n", k, a, b, a / b, c, a / c }'
done
