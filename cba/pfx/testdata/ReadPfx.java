// Reads lines "path TAB password" and answers each with a line
// "ok TAB key TAB certificates TAB name", as read_pfx.py does.
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.cert.Certificate;
import java.util.*;

class ReadPfx {
    static String b64(byte[] b) { return Base64.getEncoder().encodeToString(b); }

    public static void main(String[] args) throws Exception {
        System.out.println(System.getProperty("java.version"));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            String[] job = line.split("\t", 2);
            char[] password = job[1].toCharArray();
            try (InputStream file = Files.newInputStream(Path.of(job[0]))) {
                KeyStore store = KeyStore.getInstance("PKCS12");
                store.load(file, password);
                String alias = null;
                for (String a : Collections.list(store.aliases())) if (store.isKeyEntry(a)) alias = a;
                List<String> certs = new ArrayList<>();
                for (Certificate c : store.getCertificateChain(alias)) certs.add(b64(c.getEncoded()));
                System.out.println("1\t" + b64(store.getKey(alias, password).getEncoded()) + "\t" + String.join(",", certs)
                    + "\t" + b64(alias.getBytes(StandardCharsets.UTF_8)));
            } catch (Exception e) {
                System.out.println("0\t\t\t");
            }
        }
    }
}
