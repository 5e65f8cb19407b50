// Reads lines "path TAB password" and answers each with a line
// "ok TAB key TAB certificates TAB name", as read_pfx.py does. Node has no way
// to show the key; it refuses one that does not belong to the certificate.
const fs = require('fs'), tls = require('tls');
console.log(process.versions.openssl);
for (const line of fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const [path, passphrase] = line.split('\t');
  try {
    const c = tls.createSecureContext({ pfx: fs.readFileSync(path), passphrase }).context;
    const cert = c.getCertificate();
    console.log(cert ? `1\t\t${cert.toString('base64')}\t` : '0\t\t\t');
  } catch {
    console.log('0\t\t\t');
  }
}
