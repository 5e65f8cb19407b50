package pfx_test

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"strings"

	"software.sslmate.com/src/go-pkcs12"

	"example.com/entracba/cba/pfx"
)

// jane has a P-256 key, a certificate from Contoso Issuing CA, and that CA and
// its root as the chain. Package cba makes such things.
func jane() (pfx.Bundle, *x509.Certificate) {
	b := bundle("p256", 2, "Jane (Contoso)")
	return b, b.Certificate
}

// Give a user a PFX that her machines can open.
func Example() {
	bundle, _ := jane()
	encoding := pfx.For(pfx.Windows11, pfx.MacOS14)
	password := pfx.GeneratePassword() // send it another way than the file
	data, err := encoding.Encode(bundle, password)
	if err != nil {
		fmt.Println(err)
		return
	}
	back, err := pfx.Decode(data, password)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(encoding)
	fmt.Println(back)
	// Output:
	// compat
	// {ECDSA key, certificate of "CN=jane,O=Contoso", chain of 2}
}

// A PFX for a machine that reads AES.
func ExampleEncoding_Encode() {
	bundle, certificate := jane()
	_, err := pfx.Modern.Encode(bundle, "x4qmw7kzrp2dhcyf8suvtn3b")
	fmt.Println("written:", err == nil)

	// The user's own certificate is not a part of its chain.
	bundle.Chain = append([]*x509.Certificate{certificate}, bundle.Chain...)
	_, err = pfx.Modern.Encode(bundle, "x4qmw7kzrp2dhcyf8suvtn3b")
	fmt.Println(err)
	// Output:
	// written: true
	// pfx: not a chain: certificate 1 after the user's certificate is the user's certificate again: leave it out
}

// A password that somebody insists on.
func ExampleEncoder_Encode() {
	bundle, _ := jane()
	encoder := pfx.Encoder{Encoding: pfx.Modern, Iterations: 100_000}
	_, err := encoder.Encode(bundle, "Übung macht den Meister")
	fmt.Println(err)

	encoder.AllowNonASCIIPassword = true
	_, err = encoder.Encode(bundle, "Übung macht den Meister")
	fmt.Println("written:", err == nil)
	// Output:
	// pfx: this password cannot be used: it contains a non-ASCII character, which some PFX importers report as a wrong password: use ASCII letters and digits
	// written: true
}

// Open a file from anywhere and tell the user what is the matter with it.
func ExampleDecode() {
	bundle, _ := jane()
	data, _ := pfx.Compatible.Encode(bundle, "secret")

	_, err := pfx.Decode(data, "Secret")
	if errors.Is(err, pfx.WrongPassword) {
		fmt.Println("Please try another password.")
	}
	_, err = pfx.Decode(data[:1000], "secret")
	fmt.Println(errors.Is(err, pfx.Malformed), strings.Contains(err.Error(), "the file is cut short"))
	b, err := pfx.Decode(data, "secret")
	fmt.Println(b.FriendlyName, err)
	// Output:
	// Please try another password.
	// true true
	// Jane (Contoso) <nil>
}

// A service that opens what strangers upload allows less than the default.
func ExampleDecoder_Decode() {
	bundle, _ := jane()
	data, _ := pfx.Encoder{Encoding: pfx.Modern, Iterations: 200_000}.Encode(bundle, "secret")

	decoder := pfx.Decoder{MaxBytes: 64 << 10, MaxIterations: 300_000}
	_, err := decoder.Decode(data, "secret")
	fmt.Println(err)
	// Output:
	// pfx: too large or too costly: the file needs 200000 iterations of key derivation; 100000 of 300000 are left
}

// A user says that Windows calls her password wrong. Look at the file, without
// the password.
func ExampleInspect() {
	bundle, _ := jane()
	data, _ := pfx.Modern.Encode(bundle, "secret")

	info, err := pfx.Inspect(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("encoding:", info.Encoding)
	fmt.Println("MAC:", info.MAC.Name, info.MAC.Iterations)
	for _, part := range info.Parts {
		if part.Encryption != nil {
			fmt.Println("part:", part.Encryption.Name, part.Encryption.Iterations)
		}
		for _, key := range part.Keys {
			fmt.Println("key:", key.Name, key.Iterations)
		}
	}
	for _, r := range info.Readers {
		if r.Target == pfx.WindowsServer2016 {
			fmt.Println(r.Target, "reads it:", r.Reads)
		}
	}
	// Output:
	// encoding: modern
	// MAC: HMAC-SHA256 2048
	// part: AES-256 (PBES2, PBKDF2-HMAC-SHA256) 2048
	// key: AES-256 (PBES2, PBKDF2-HMAC-SHA256) 2048
	// windows-server-2016 reads it: no
}

// What to tell someone whose right password is called wrong.
func ExampleInspect_advice() {
	bundle, _ := jane()
	data, _ := pkcs12.LegacyRC2.Encode(bundle.Key, bundle.Certificate, nil, "secret")
	info, _ := pfx.Inspect(data)
	fmt.Println(info.Advice)
	for _, f := range info.Findings {
		fmt.Println(f)
	}
	// Output:
	// The password may be right: OpenSSL 3.0 to 3.3; OpenSSL from 3.4; Node 18 to 22; Node from 24 cannot read this encoding and report a wrong password. For some programs it is not known (see the list of readers). For these programs, write it again with the encoding "compat". For any other program, check the password itself for a copied space or line end and for letters outside ASCII, and the file for damage.
	// warning: pfx-rc2: pfx: the certificates are encrypted with RC2, which OpenSSL 3 and Node 18 refuse; use the encoding "compat" or "modern"
}

// Turn a file that Windows Server 2016 refuses into one that it takes.
func ExampleReencode() {
	bundle, _ := jane()
	modern, _ := pfx.Modern.Encode(bundle, "secret")

	compat, err := pfx.Reencode(modern, "secret", pfx.For(pfx.WindowsServer2016), "secret")
	if err != nil {
		fmt.Println(err)
		return
	}
	info, _ := pfx.Inspect(compat)
	fmt.Println(info.Encoding, info.FriendlyName)
	// Output:
	// compat Jane (Contoso)
}

// One file for all machines of a company.
func ExampleFor() {
	fmt.Println(pfx.For(pfx.Windows11, pfx.WindowsServer2019))
	fmt.Println(pfx.For(pfx.Windows11, pfx.WindowsServer2016))
	fmt.Println(pfx.For(pfx.IOS17)) // not known to read AES
	// Output:
	// modern
	// compat
	// compat
}

// A flag that takes a target or an encoding.
func ExampleParseFor() {
	flags := flag.NewFlagSet("issue", flag.ContinueOnError)
	encoding := pfx.Compatible
	flags.Func("for", "what opens the files", func(s string) (err error) {
		encoding, err = pfx.ParseFor(s)
		return err
	})
	flags.Parse([]string{"-for", "windows-11"})
	fmt.Println(encoding)
	flags.Parse([]string{"-for", "macos"}) // the oldest
	fmt.Println(encoding)
	flags.Parse([]string{"-for", "pbmac1"})
	fmt.Println(encoding)
	// Output:
	// modern
	// compat
	// pbmac1
}

// The text form of an encoding, in a flag of its own or a configuration file.
func ExampleParseEncoding() {
	fmt.Println(pfx.ParseEncoding("modern"))
	fmt.Println(pfx.ParseEncoding("aes256"))
	// Output:
	// modern <nil>
	// unset pfx: bad option: "aes256" is not an encoding (compat, modern, rc2, pbmac1, unencrypted)
}

// Print the table for one system.
func ExampleTarget_Reads() {
	target := pfx.MacOS14
	fmt.Println(target.Title())
	for _, e := range []pfx.Encoding{pfx.Compatible, pfx.Modern} {
		fmt.Println(e, target.Reads(e))
	}
	fmt.Println(pfx.IOS17.Reads(pfx.Modern), "-", pfx.IOS17.Source())
	// Output:
	// macOS up to 14, keychain
	// compat yes
	// modern no
	// not known - AES: no source found for 17, 18 and 26
}

// List what a flag may say.
func ExampleTargets() {
	for _, t := range pfx.Targets()[:4] {
		fmt.Println(t, "=", t.Title())
	}
	// Output:
	// windows-server-2016 = Windows Server 2016, 2012 R2, and Windows 10 before version 1709
	// windows-10 = Windows 10 from version 1709
	// windows-server-2019 = Windows Server 2019 and later
	// windows-11 = Windows 11
}

// A target in a flag or a configuration file.
func ExampleParseTarget() {
	target, err := pfx.ParseTarget("android")
	fmt.Println(target, err)
	// Output:
	// android-13 <nil>
}

// A password for each user.
func ExampleGeneratePassword() {
	password := pfx.GeneratePassword()
	fmt.Println(len(password), "letters and digits")
	// Output:
	// 24 letters and digits
}
