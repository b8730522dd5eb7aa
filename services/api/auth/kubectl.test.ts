/** Who asks, with the real kubectl: no container is needed. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { type Kubectl, kubectlOf } from "../../../test/cluster.ts";
import { httpsClient } from "../../../test/https-client.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";
import { writeKubeconfig } from "../pki/kubeconfig.ts";

let gateway: MemoryGateway;
let kubectl: Kubectl;
let folder: string;

beforeAll(async () => {
  gateway = await openMemoryGateway();
  folder = await mkdtemp(join(tmpdir(), "berth-auth-"));
  const kubeconfig = join(folder, "kubeconfig");
  const { server, authority, token } = gateway;
  const known = { certificate: authority, privateKey: "", token };
  await writeKubeconfig(kubeconfig, { server, authority: known, random: systemRandom });
  kubectl = await kubectlOf(kubeconfig, folder);
  const client = httpsClient(gateway);
  await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name: "default" } } });
  await kubectl(["create", "serviceaccount", "robot"]);
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** As somebody else than the administrator: the kubeconfig's token comes after these. */
const whoami = (...flags: string[]) => kubectl(["auth", "whoami", "-o", "yaml", ...flags]);

describe("kubectl", () => {
  test("asks who it is, and what it may do", async () => {
    expect(await whoami()).toContain("username: kubernetes-admin");
    expect(await kubectl(["auth", "can-i", "create", "deployments"])).toBe("yes\n");
    expect(await kubectl(["auth", "can-i", "--list"])).toContain("*.*");
  });

  test("asks in another's name", async () => {
    const said = await whoami("--as=jane", "--as-group=devs", "--as-uid=u1");
    for (const line of ["username: jane", "- devs", "- system:authenticated", "uid: u1"])
      expect(said).toContain(line);
    expect(
      await kubectl(["auth", "can-i", "get", "pods", "--as=system:anonymous"]).catch(String),
    ).toContain("no");
  });

  test("gets a token for a ServiceAccount, which is that account's", async () => {
    const token = await kubectl(["create", "token", "robot", "--duration=20m"]);
    expect(await whoami(`--token=${token.trim()}`)).toContain(
      "username: system:serviceaccount:default:robot",
    );
    const forVault = await kubectl(["create", "token", "robot", "--audience=vault"]);
    await expect(whoami(`--token=${forVault.trim()}`)).rejects.toThrow("Unauthorized");
  });

  test("reads the token of a Secret that is made for one, as long as that is there", async () => {
    const manifest = {
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/service-account-token",
      metadata: {
        name: "lasting",
        annotations: { "kubernetes.io/service-account.name": "robot" },
      },
    };
    await kubectl(["apply", "-f", "-"], JSON.stringify(manifest));
    await kubectl(["wait", "secret/lasting", "--for=jsonpath={.data.token}", "--timeout=20s"]);
    const path = "jsonpath={.data.token}";
    const held = await kubectl(["get", "secret", "lasting", "-o", path]);
    const token = Buffer.from(held, "base64").toString();
    expect(await whoami(`--token=${token}`)).toContain("system:serviceaccount:default:robot");
    await kubectl(["delete", "secret", "lasting"]);
    await expect(whoami(`--token=${token}`)).rejects.toThrow("Unauthorized");
  });

  test("has a certificate approved, and is whom it names from then on", async () => {
    const { request, key } = await aRequest("CN=jane,O=devs,O=ops");
    await kubectl(["apply", "-f", "-", "--as=mallory"], signing("jane", request));
    expect(await kubectl(["get", "csr", "jane"])).toMatch(/jane .* mallory .* Pending/);
    expect(await kubectl(["certificate", "approve", "jane"])).toContain("jane approved");
    await kubectl(["wait", "csr/jane", "--for=jsonpath={.status.certificate}", "--timeout=20s"]);
    const held = await kubectl(["get", "csr", "jane", "-o", "jsonpath={.status.certificate}"]);
    expect(await kubectl(["get", "csr", "jane"])).toContain("Approved,Issued");
    const [certFile, keyFile] = [join(folder, "jane.crt"), join(folder, "jane.key")];
    await writeFile(certFile, Buffer.from(held, "base64"));
    await writeFile(keyFile, key);
    const ca = join(folder, "ca.crt");
    await writeFile(ca, gateway.authority);
    const bare = join(folder, "bare");
    await writeFile(bare, "");
    const said = await kubectl([
      `--kubeconfig=${bare}`,
      `--server=${gateway.server}`,
      `--certificate-authority=${ca}`,
      `--client-certificate=${certFile}`,
      `--client-key=${keyFile}`,
      "auth",
      "whoami",
      "-o",
      "yaml",
    ]);
    for (const line of ["username: jane", "- devs", "- ops", "X509SHA256="])
      expect(said).toContain(line);
  });

  test("has a request denied, and no certificate comes of it", async () => {
    const { request } = await aRequest("CN=eve");
    await kubectl(["apply", "-f", "-"], signing("eve", request));
    await kubectl(["certificate", "deny", "eve"]);
    expect(await kubectl(["get", "csr", "eve"])).toMatch(/Denied\s*$/);
    await expect(kubectl(["certificate", "approve", "eve"])).rejects.toThrow("already Denied");
  });

  test("cannot ask for a certificate that is above all rules", async () => {
    const { request } = await aRequest("CN=eve,O=system:masters");
    await expect(kubectl(["apply", "-f", "-"], signing("root", request))).rejects.toThrow(
      "with system:masters group is not allowed",
    );
  });

  test("is told why a request is not signed", async () => {
    const { request } = await aRequest("CN=web");
    await kubectl(["apply", "-f", "-"], signing("web", request, ["server auth"]));
    await kubectl(["certificate", "approve", "web"]);
    await kubectl(["wait", "csr/web", "--for=condition=Failed", "--timeout=20s"]);
    const path = "jsonpath={.status.conditions[?(@.type=='Failed')].reason}";
    expect(await kubectl(["get", "csr", "web", "-o", path])).toBe("SignerValidationFailure");
  });
});

async function aRequest(subject: string): Promise<{ request: string; key: string }> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys,
    signingAlgorithm: algorithm,
  });
  const bytes = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { request: made.toString("pem"), key: x509.PemConverter.encode(bytes, "PRIVATE KEY") };
}

const signing = (name: string, request: string, usages = ["client auth"]) =>
  JSON.stringify({
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name },
    spec: {
      request: Buffer.from(request).toString("base64"),
      signerName: "kubernetes.io/kube-apiserver-client",
      expirationSeconds: 3_600,
      usages,
    },
  });
