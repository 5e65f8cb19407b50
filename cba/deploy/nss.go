package deploy

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"strings"

	"example.com/entracba/cba/internal/fingerprint"
)

// NSSScript returns a shell script that imports the root and the PFX, which must be in
// the same folder, into every NSS database that a browser of the user reads:
//
//   - Chromium, Chrome, Edge and Brave share ~/.pki/nssdb if that folder exists, and
//     otherwise, since version 146, pki/nssdb in XDG_DATA_HOME (~/.local/share). Where
//     neither is there the script makes the first, which every version reads; it never
//     makes it beside the second, which it would hide.
//   - The same two places in the folders of Snap and Flatpak packages that are there; as
//     these packages are never older, the second is made.
//   - Every profile of Firefox that profiles.ini names and that has a database, under
//     ~/.mozilla and XDG_CONFIG_HOME/mozilla, and those of Snap and Flatpak.
//
// NSSDB names one database instead, absolute or relative to where the script is called, with
// or without sql: in front.
// First the script looks at everything: tools, databases and their primary passwords
// (it asks, or reads the file in NSSDB_PASSWORD_FILE), and the password of the PFX.
// Then it writes; a new database appears whole, and replaces nothing: where somebody deleted
// cert9.db alone, the browser has to make one first. In the end it lists the key in each.
// The root is trusted for client certificates (T) and not for servers; one that is there and
// trusted already is left as it is.
//
// With the argument -check the script writes nothing. For each database it says whether
// this certificate and its key are in it: found, missing, locked (a primary password that
// was not given) or unreadable (damaged, or of another kind), a tab, the browser, a tab and
// the folder. The exit status is 0 if all have it. The check needs no other file, so it also works as sh -s -- -check.
//
// The script asks for the password of the PFX, or reads it as a line of its standard
// input; with [Options.EmbedPassword] it holds it. No command line shows a password.
//
// The error is an [*Error]: [Missing], [BadName], or [UnfitPassword] for an embedded
// password with a line end or a zero byte.
func (p Package) NSSScript(o Options) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	file := p.fileName("pfx")
	secret, give := "", `give_password() { ask "Password of $pfx" "$work/pfx"; }`
	if o.EmbedPassword {
		if err := checkPassword(p.Password); err != nil {
			return nil, err
		}
		if strings.ContainsAny(p.Password, "\r\n") {
			return nil, fail(UnfitPassword, "pk12util reads the password from the first line of a file, and this password has a line end; do not embed it")
		}
		word, err := shell(p.Password)
		if err != nil {
			return nil, err
		}
		secret = "# " + p.secret(file) + "\n"
		give = `give_password() { printf '%s\n' ` + word + ` >"$work/pfx"; }`
	}
	nickname := strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == ':' { // a colon stands between token and name
			return '-'
		}
		return r
	}, title(p.Root)), "-")
	return []byte(strings.NewReplacer(
		"{SECRET}\n", secret,
		"{PERSON}", comment(p.UPN),
		"{ROOTNAME}", comment(title(p.Root)),
		"{PFX}", file,
		"{CER}", rootName,
		"{NICKNAME}", shellWord(nickname),
		"{THUMBPRINT}", thumbprint(p.Root),
		"{FINGERPRINT}", colons(thumbprint(p.Root)),
		"{KEY}", nssKeyID(p.Certificate),
		"{CERTIFICATE}", base64.StdEncoding.EncodeToString(p.Certificate.Raw),
		"{PASSWORD}", give,
	).Replace(nssText)), nil
}

// colons writes a fingerprint as certutil does.
func colons(hex string) string {
	var b strings.Builder
	for i := 0; i < len(hex); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(hex[i : i+2])
	}
	return b.String()
}

// nssKeyID returns the name that NSS gives the key: SHA-1 of the modulus or of the
// public value (PK11_MakeIDFromPubKey).
func nssKeyID(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fingerprint.Of(key.N.Bytes())
	case *ecdsa.PublicKey:
		if point, err := key.Bytes(); err == nil {
			return fingerprint.Of(point)
		}
	case ed25519.PublicKey:
		return fingerprint.Of(key)
	}
	return "no key that NSS can hold"
}

const nssText = `#!/bin/sh
{SECRET}
# Imports the certificate of {PERSON} and the root {ROOTNAME}
# into the NSS databases that the browsers of this user read.
#   sh install.sh           import
#   sh install.sh -check    say what is where, and change nothing
# NSSDB=FOLDER names one database, such as a profile of Firefox.
# NSSDB_PASSWORD_FILE=FILE holds the primary password, for databases that have one.
set -eu
umask 077
start=$(pwd)
cd -- "$(dirname -- "$0")"
pfx={PFX}
key={KEY}
certificate={CERTIFICATE}
tab=$(printf '\t')
tty=
count=0

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

check=
case ${1-} in
'') ;;
-check | --check) check=1 ;;
*) die "usage: sh install.sh [-check]" ;;
esac
if [ "$(id -u)" = 0 ] && [ -n "${SUDO_USER-}" ] && [ -z "${NSSDB-}" ]; then
	die "Run this as the user whose browser needs the certificate, without sudo."
fi
for tool in certutil pk12util; do
	command -v $tool >/dev/null || die "$tool is missing. Install libnss3-tools (Debian, Ubuntu), nss-tools (Fedora) or mozilla-nss-tools (openSUSE)."
done

work=$(mktemp -d)
part=$work
leave() {
	[ -z "$tty" ] || stty "$tty"
	rm -rf -- "$work" "$part"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM
: >"$work/list"
printf '\n' >"$work/none"

# ask TEXT FILE: reads a password into the file, and does not show it.
ask() {
	if [ -t 0 ]; then
		tty=$(stty -g)
		stty -echo
		printf '%s: ' "$1" >&2
	fi
	line=
	IFS= read -r line || [ -n "$line" ] || return 1
	if [ -t 0 ]; then
		stty "$tty"
		tty=
		printf '\n' >&2
	fi
	printf '%s\n' "$line" >"$2"
}
{PASSWORD}

# add WHO FOLDER: one more database, unless it is on the list.
add() {
	if ! cut -f 3 "$work/list" | grep -Fxq -- "$2"; then
		count=$((count + 1))
		printf '%s\t%s\t%s\n' $count "$1" "$2" >>"$work/list"
	fi
}

# shared WHO OLD NEW FIRST: where browsers made from Chromium look. FIRST is made if
# neither is there.
shared() {
	if [ -d "$2" ]; then
		if [ -e "$3/cert9.db" ] && [ -z "$check" ]; then
			say "$3 is not used: browsers read $2 instead, because that folder exists."
		fi
		add "$1" "$2"
	elif [ -e "$3/cert9.db" ]; then
		add "$1" "$3"
	else
		add "$1" "$4"
	fi
}

# profiles FOLDER: the profiles of Firefox that profiles.ini there names.
profiles() {
	[ -e "$1/profiles.ini" ] || return 0
	tr -d '\r' <"$1/profiles.ini" | awk '
		function out() { if (path != "") print relative "\t" path; path = ""; relative = 1 }
		/^\[/ { out(); mine = /^\[Profile/ }
		mine && /^IsRelative=/ { relative = substr($0, 12) }
		mine && /^Path=/ { path = substr($0, 6) }
		END { out() }' >"$work/profiles"
	for want in cert9.db .; do # those in use; else all, which were never opened
		before=$(wc -l <"$work/list")
		while IFS=$tab read -r relative path; do
			[ "$relative" = 0 ] || path=$1/$path
			[ ! -e "$path/$want" ] || add Firefox "$path"
		done <"$work/profiles"
		[ "$before" = "$(wc -l <"$work/list")" ] || return 0
	done
}

data=${XDG_DATA_HOME:-$HOME/.local/share}
if [ -n "${NSSDB-}" ]; then
	NSSDB=${NSSDB#sql:} # as certutil has it
	case $NSSDB in
	dbm:*) die "$NSSDB is the format of old NSS, which no browser reads any more." ;;
	/*) add NSSDB "$NSSDB" ;;
	*) add NSSDB "$start/$NSSDB" ;;
	esac
else
	for base in "$HOME/.mozilla/firefox" "${XDG_CONFIG_HOME:-$HOME/.config}/mozilla/firefox" \
		"$HOME/snap/firefox/common/.mozilla/firefox" "$HOME/snap/firefox/common/.config/mozilla/firefox" \
		"$HOME/.var/app/org.mozilla.firefox/.mozilla/firefox" "$HOME/.var/app/org.mozilla.firefox/config/mozilla/firefox"; do
		profiles "$base"
	done
	if [ ! -s "$work/list" ] && { command -v firefox || command -v firefox-esr; } >/dev/null; then
		printf '%s\n' "Firefox has no profile yet: start it once, and run this again." >&2
	fi
	for base in "$HOME"/snap/chromium/current "$HOME"/snap/brave/current; do
		[ ! -d "$base" ] || shared "${base#"$HOME"/}" "$base/.pki/nssdb" "$base/.local/share/pki/nssdb" "$base/.local/share/pki/nssdb"
	done
	for name in org.chromium.Chromium com.google.Chrome com.microsoft.Edge com.brave.Browser io.github.ungoogled_software.ungoogled_chromium; do
		base=$HOME/.var/app/$name
		[ ! -d "$base" ] || shared "$name" "$base/.pki/nssdb" "$base/data/pki/nssdb" "$base/data/pki/nssdb"
	done
	here=
	for program in chromium chromium-browser google-chrome google-chrome-stable microsoft-edge microsoft-edge-stable brave-browser; do
		! command -v $program >/dev/null || here=1
	done
	if [ -n "$here" ] || [ -d "$HOME/.pki/nssdb" ] || [ -e "$data/pki/nssdb/cert9.db" ] || [ ! -s "$work/list" ]; then
		shared "Chromium, Chrome, Edge, Brave" "$HOME/.pki/nssdb" "$data/pki/nssdb" "$HOME/.pki/nssdb"
	fi
fi

# has NUMBER FOLDER: the certificate is in the database, with its key.
has() {
	certutil -K -d "sql:$2" -f "$work/$1" >"$work/keys" 2>/dev/null || :
	name=$(sed -n "s/^<[ 0-9]*> *[^ ]*  *$key *//p" "$work/keys" | head -n 1)
	name=${name#NSS Certificate DB:}
	[ -n "$name" ] || return 1
	pem=$(certutil -L -d "sql:$2" -a -n "NSS Certificate DB:$name" 2>/dev/null | tr -d '\r\n')
	case $pem in
	*"$certificate"*) ;;
	*) return 1 ;;
	esac
}

# What is there, and what opens it. Nothing is written before this is known.
while IFS=$tab read -r number who folder <&3; do
	cp -- "$work/none" "$work/$number"
	if [ -z "$check" ]; then # the database writes beside its files, too
		above=$folder
		while [ ! -e "$above" ]; do above=$(dirname -- "$above"); done
		for file in "$above" "$folder/cert9.db" "$folder/key4.db"; do
			[ ! -e "$file" ] || [ -w "$file" ] || die "$file cannot be written. Nothing was written."
		done
	fi
	if [ ! -e "$folder/cert9.db" ]; then
		# People delete a damaged cert9.db, and key4.db has the key of the saved passwords.
		[ -n "$check" ] || [ ! -e "$folder/key4.db" ] || die "$folder has key4.db, with the key of saved passwords, and no cert9.db. Start $who once, which makes one, and run this again. Nothing was written."
		: >"$work/$number.new"
		continue
	fi
	while certutil -K -d "sql:$folder" -f "$work/$number" >"$work/out" 2>&1 || :; grep -q SEC_ERROR_BAD_PASSWORD "$work/out"; do
		if [ -n "${NSSDB_PASSWORD_FILE-}" ] && [ ! -e "$work/$number.tried" ]; then
			: >"$work/$number.tried"
			case $NSSDB_PASSWORD_FILE in
			/*) cat <"$NSSDB_PASSWORD_FILE" >"$work/$number" ;;
			*) cat <"$start/$NSSDB_PASSWORD_FILE" >"$work/$number" ;;
			esac
		elif [ -n "$check" ]; then
			: >"$work/$number.locked"
			break
		elif [ -t 0 ]; then
			say "This database has a primary password: $folder"
			ask "Primary password of $who" "$work/$number"
		else
			die "This database has a primary password: $folder
Run this in a terminal, which asks for it, or name a file with it in NSSDB_PASSWORD_FILE. Nothing was written."
		fi
	done
	if [ -n "$check" ]; then
		! grep -q 'function failed' "$work/out" || : >"$work/$number.bad"
	elif grep -q 'function failed' "$work/out"; then
		cat "$work/out" >&2
		die "This database cannot be read: $folder. Nothing was written."
	fi
done 3<"$work/list"

if [ -n "$check" ]; then
	missing=0
	while IFS=$tab read -r number who folder <&3; do
		state=found
		if [ -e "$work/$number.locked" ]; then
			state=locked
		elif [ -e "$work/$number.bad" ]; then
			state=unreadable
		elif [ -e "$work/$number.new" ] || ! has "$number" "$folder"; then
			state=missing
		fi
		[ $state = found ] || missing=1
		printf '%s\t%s\t%s\n' $state "$who" "$folder"
	done 3<"$work/list"
	exit $missing
fi

tries=3
until give_password && pk12util -l "$pfx" -w "$work/pfx" >/dev/null 2>"$work/out"; do
	[ -s "$work/pfx" ] || die "There is no password of $pfx: run this in a terminal, or write it to the standard input. Nothing was written."
	tries=$((tries - 1))
	if ! [ -t 0 ] || [ $tries = 0 ]; then
		cat "$work/out" >&2
		die "The password does not open $pfx, or pk12util cannot read this file. Nothing was written."
	fi
	say "The password does not open $pfx."
done

# trusted FOLDER: the root is in the database, and trusted for something.
trusted() {
	certutil -L -d "sql:$1" 2>/dev/null | awk '$NF ~ /^[A-Za-z]*,[A-Za-z]*,[A-Za-z]*$/ && $NF ~ /[CTP]/ { sub(/ +[^ ]+ *$/, ""); print }' >"$work/roots"
	while IFS= read -r name; do # a name may be that of several certificates
		! certutil -L -d "sql:$1" -n "$name" 2>/dev/null | awk -v root={FINGERPRINT} '
			index($0, root) { mine = 1 }
			mine && /Trusted|Terminal/ { found = 1 }
			/^Certificate:/ { mine = 0 }
			END { exit !found }' || return 0
	done <"$work/roots"
	return 1
}

# fill NUMBER FOLDER: T,, means: trusted for client certificates, and for nothing else. A
# root that is trusted already stays as it is. A name can be that of another certificate.
fill() {
	if ! pk12util -d "sql:$2" -k "$work/$1" -i "$pfx" -w "$work/pfx" >"$work/out" 2>&1; then
		cat "$work/out" >&2
		die "The import into $3 failed."
	fi
	trusted "$2" && return
	for nickname in {NICKNAME} {NICKNAME}' {THUMBPRINT}'; do
		if certutil -A -d "sql:$2" -f "$work/$1" -n "$nickname" -t T,, -i {CER} >"$work/out" 2>&1; then
			return
		fi
	done
	cat "$work/out" >&2
	die "The import into $3 failed."
}
while IFS=$tab read -r number who folder <&3; do
	if [ -e "$work/$number.new" ]; then
		# Beside its place, and moved there as a whole.
		mkdir -p -- "$folder"
		part=$(mktemp -d "$folder/.new.XXXXXX")
		certutil -N -d "sql:$part" --empty-password
		fill "$number" "$part" "$folder"
		for file in "$part"/*; do
			[ "$file" = "$part/cert9.db" ] || [ -e "$folder/${file##*/}" ] || mv -- "$file" "$folder/" # modules that are there stay
		done
		mv -- "$part/cert9.db" "$folder/"
		rm -rf -- "$part"
	else
		fill "$number" "$folder" "$folder"
	fi
done 3<"$work/list"

failed=0
while IFS=$tab read -r number who folder <&3; do
	say "$who: $folder"
	if has "$number" "$folder"; then
		grep -- "$key" "$work/keys"
		case $pem in
		*"END CERTIFICATE"*"END CERTIFICATE"*)
			say "Another certificate of the same name is here, too. Chromium takes the one that is valid for longer, Firefox the one that was installed first: delete the old one."
			;;
		esac
	else
		say "The certificate is NOT in this database."
		failed=1
	fi
done 3<"$work/list"
[ $failed = 0 ] || exit 1
say "Restart the browsers."
`
