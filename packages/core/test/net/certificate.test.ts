import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { test } from "node:test";
import { systemRandom } from "../../src/base/random.ts";
import { makeCertificate } from "../../src/net/certificate.ts";

test("node:crypto reads the certificate, and its signature and key fit", () => {
  // Many, because lengths of signatures and leading bits of serials differ from one to the next.
  for (let count = 0; count < 50; count++) {
    const { key, cert } = makeCertificate(systemRandom);
    const certificate = new X509Certificate(cert);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
    assert.deepEqual([certificate.subject, certificate.issuer], ["CN=x", "CN=x"]);
    assert.ok(certificate.validToDate.getTime() > Date.UTC(2049, 0));
  }
});

test("certificates differ in serial and key", () => {
  const [one, other] = [makeCertificate(systemRandom), makeCertificate(systemRandom)];
  assert.notEqual(new X509Certificate(one.cert).serialNumber, new X509Certificate(other.cert).serialNumber);
  assert.notEqual(one.key, other.key);
});

test("openssl accepts every field and the signature", (t) => {
  const openssl = (args: string[], input: string): { status: number | null; stdout: string } =>
    spawnSync("openssl", args, { input, encoding: "utf8" });
  if (openssl(["version"], "").status !== 0) {
    t.skip("install openssl");
    return;
  }
  const { cert } = makeCertificate(systemRandom);
  const shown = openssl(["x509", "-noout", "-text", "-certopt", "no_pubkey"], cert);
  assert.equal(shown.status, 0);
  assert.match(shown.stdout, /Version: 1 /);
  assert.match(shown.stdout, /ecdsa-with-SHA256/);
  const reencoded = openssl(["x509", "-outform", "PEM"], cert);
  assert.deepEqual(new X509Certificate(reencoded.stdout).raw, new X509Certificate(cert).raw);
});
