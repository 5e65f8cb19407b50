package deploy

import (
	"crypto/x509"
	"encoding/json"
	"io/fs"
	"path"
	"strings"

	"example.com/entracba/cba/internal/text"
)

// A policyPlace is a folder where a browser on Linux looks for policies, and what shows
// that the browser is there. ARCH stands for the architecture as Flatpak names it.
type policyPlace struct {
	browser, folder string
	signs           []string
}

// The folders are those of Chromium's documents for each build (chromium.org, "Linux Quick
// Start"; Google, Microsoft and Brave for their own), of the Snap package, of Flathub's
// README for Chromium, and of Mozilla's policy templates.
var policyPlaces = []policyPlace{
	{"Chromium", "etc/chromium/policies/managed", []string{"usr/bin/chromium", "usr/lib/chromium", "usr/lib64/chromium-browser"}},
	{"Chromium (Ubuntu)", "etc/chromium-browser/policies/managed", []string{"usr/bin/chromium-browser", "usr/lib/chromium-browser", "snap/chromium"}},
	{"Chromium (Snap)", "var/snap/chromium/current/policies/managed", []string{"snap/chromium"}},
	{"Chromium (Flatpak)", "var/lib/flatpak/extension/org.chromium.Chromium.Policy.entra-cba/ARCH/1/policies/managed", []string{"var/lib/flatpak/app/org.chromium.Chromium"}},
	{"Chrome", "etc/opt/chrome/policies/managed", []string{"opt/google/chrome"}},
	{"Edge", "etc/opt/edge/policies/managed", []string{"opt/microsoft/msedge"}},
	{"Brave", "etc/brave/policies/managed", []string{"opt/brave.com", "snap/brave"}},
	{firefox, "etc/firefox/policies", []string{"usr/bin/firefox", "usr/bin/firefox-esr", "usr/lib/firefox", "usr/lib64/firefox", "opt/firefox", "snap/firefox"}},
	{firefox + " (Flatpak)", "var/lib/flatpak/extension/org.mozilla.firefox.systemconfig/ARCH/stable/policies", []string{"var/lib/flatpak/app/org.mozilla.firefox"}},
}

const firefox = "Firefox"

// flatpakArches are the architectures for which Flathub builds these browsers.
var flatpakArches = []string{"x86_64", "aarch64"}

// A Choice says what a browser that is installed on a machine with Linux will do when
// Entra asks for a certificate.
type Choice struct {
	Browser string `json:"browser"`
	// Folder is where the browser looks for policies, without the slash in front.
	Folder string `json:"folder"`
	// File is the policy file that selects the certificate, or empty: the browser asks.
	File string `json:"file"`
}

// Choices looks for the browsers on a machine with Linux, and for the policies by which
// they select this certificate at Entra's certauth host without asking: machine is its
// root folder. Of several files with such a list the last by name decides. For Firefox, which has no filter, it is the policy to present whatever
// certificate fits.
//
// The policy selects; that the certificate is in the browser's database is for the script
// of [Package.NSSScript] to say. The error is an [*Error] with [BadOption]: an unknown
// cloud, or no certificate.
func Choices(machine fs.FS, c *x509.Certificate, cloud Cloud) ([]Choice, error) {
	host := cloud.certauth()
	if host == "" || c == nil {
		return nil, fail(BadOption, "cloud %v, certificate missing: %v", cloud, c == nil)
	}
	var all []Choice
	for _, p := range policyPlaces {
		there := false
		for _, sign := range p.signs {
			_, err := fs.Stat(machine, sign)
			there = there || err == nil
		}
		if !there {
			continue
		}
		choice := Choice{Browser: p.browser, Folder: p.folder}
		for _, arch := range flatpakArches {
			folder := strings.Replace(p.folder, "ARCH", arch, 1)
			entries, _ := fs.ReadDir(machine, folder) // none there: no policy
			if len(entries) > 0 {
				choice.Folder = folder
			}
			for _, e := range entries {
				name := path.Join(folder, e.Name())
				info, err := fs.Stat(machine, name)
				if err != nil || !info.Mode().IsRegular() || info.Size() > maxPolicy {
					continue
				}
				content, err := fs.ReadFile(machine, name)
				if err != nil {
					continue
				}
				if strings.HasPrefix(p.browser, firefox) {
					if e.Name() == "policies.json" && firefoxSelects(content) {
						choice.File = name
					}
				} else if has, does := selects(content, c, host); does {
					choice.File = name
				} else if has { // the last file decides
					choice.File = ""
				}
			}
		}
		all = append(all, choice)
	}
	return all, nil
}

// maxPolicy is the largest policy file that is read, in bytes: they have some kilobytes.
const maxPolicy = 4 << 20

// firefoxSelects reports whether policies.json makes Firefox present a certificate
// without asking.
func firefoxSelects(content []byte) bool {
	var file struct {
		Policies struct{ Preferences map[string]json.RawMessage } `json:"policies"`
	}
	if json.Unmarshal(text.UTF8(content), &file) != nil {
		return false
	}
	raw := file.Policies.Preferences["security.default_personal_cert"]
	var long struct{ Value, Status string }
	var short string
	_ = json.Unmarshal(raw, &long)
	_ = json.Unmarshal(raw, &short)
	const automatic = "Select Automatically"
	return long.Value == automatic && long.Status != "clear" || short == automatic
}

// policyScript puts the policies where the browsers of the machine look.
func policyScript() []byte {
	var places lines
	for _, p := range policyPlaces {
		file := "entra-cba.json chromium-policy.json"
		if strings.HasPrefix(p.browser, firefox) {
			file = "policies.json firefox-policies.json"
		}
		places.add("place ", shellWord(p.browser), ` "/`, strings.Replace(p.folder, "ARCH", "$arch", 1), `" `, file, " ", strings.Join(p.signs, " "))
	}
	return []byte(strings.Replace(policyText, "{PLACES}\n", places.String(), 1))
}

const policyText = `#!/bin/sh
# Lets the browsers of this machine present the certificate to Entra without asking.
#   sudo sh install-policy.sh    put the policies where the installed browsers look
#   sh install-policy.sh -check  say what is there, and change nothing
#   -replace      replace the file that this script put there for somebody else
#   -no-firefox   leave Firefox alone: it presents a certificate to every site that asks
# ROOT=FOLDER works on a system that is mounted there.
set -eu
umask 022
cd -- "$(dirname -- "$0")"
root=${ROOT-}
arch=$(uname -m)

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

check= replace= nofirefox=
for argument; do
	case $argument in
	-check | --check) check=1 ;;
	-replace | --replace) replace=1 ;;
	-no-firefox | --no-firefox) nofirefox=1 ;;
	*) die "usage: sh install-policy.sh [-check] [-replace] [-no-firefox]" ;;
	esac
done
if [ -z "$check" ] && [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
	die "Policies are for the whole machine, so this needs root: sudo sh install-policy.sh. Nothing was written."
fi

# place BROWSER FOLDER NAME SOURCE SIGN...: every browser that is there, in the steps
# look (what stands in the way?), write and check.
found=0 missing=0
place() {
	browser=$1 folder=$root$2 name=$3 source=$4
	shift 4
	case $browser in
	Firefox*) [ -z "$nofirefox" ] || return 0 ;;
	esac
	for sign; do
		if [ -e "$root/$sign" ]; then
			found=1
			$step
			return 0
		fi
	done
}
look() {
	for file in "$folder"/* "$folder"/.[!.]*; do # Chromium reads every file, whatever its name
		[ -f "$file" ] || continue
		case $file in
		"$folder"/.entra-cba.??????) continue ;; # of a run that was killed: write removes it
		esac
		if [ "$file" = "$folder/$name" ]; then
			cmp -s -- "$file" "$source" || case $browser$replace in
			Firefox*) die "$file has other policies. Add those of $source by hand, or use -no-firefox. Nothing was written." ;;
			*1) ;;
			*) die "$file is there, and other than $source. Use -replace if it is an older one of the same person. If several people use this machine, one file must name all of them (deliver -shared). Nothing was written." ;;
			esac
		elif [ "$source" = chromium-policy.json ] && grep -q AutoSelectCertificateForUrls "$file"; then
			die "$file sets AutoSelectCertificateForUrls already, and $browser takes only one such list. Add the line of $source there. Nothing was written."
		fi
	done
}
write() {
	mkdir -p -- "$folder"
	rm -f -- "$folder"/.entra-cba.??????
	part=$(mktemp "$folder/.entra-cba.XXXXXX")
	trap 'rm -f -- "$part"' EXIT
	trap 'exit 1' HUP INT TERM # else sh leaves without the other trap
	cat <"$source" >"$part"
	chmod 644 "$part"
	mv -- "$part" "$folder/$name"
	say "$browser: $folder/$name"
}
check() {
	if cmp -s -- "$folder/$name" "$source"; then
		say "set      $browser: $folder/$name"
	else
		say "NOT set  $browser: $folder/$name"
		missing=1
	fi
}
each() {
	step=$1
{PLACES}
	[ $found = 1 ] || die "No browser was found on this machine. Nothing was written."
}

if [ -n "$check" ]; then
	each check
	exit $missing
fi
each look
each write
say "Restart the browsers. chrome://policy, edge://policy and about:policies show what is set."
`
