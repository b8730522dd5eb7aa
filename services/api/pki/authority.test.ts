import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer, get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { openAuthority, serverIdentity } from "./authority.ts";
import { writeKubeconfig } from "./kubeconfig.ts";

const ports = { clock: systemClock, random: systemRandom };

test("gateways that start at once share one authority, in private files", async () => {
  const folder = await freshFolder();
  const all = await Promise.all(Array.from({ length: 8 }, () => openAuthority(folder, ports)));
  expect(new Set(all.map(({ token }) => token)).size).toBe(1);
  expect(new Set(all.map(({ privateKey }) => privateKey)).size).toBe(1);
  for (const file of ["ca.key", "token", "ca.crt"]) {
    const { mode } = await stat(join(folder, "authority", file));
    expect(mode & 0o777).toBe(0o600);
  }
  expect(await openAuthority(folder, ports)).toEqual(all[0]);
});

test("a client that trusts the authority reaches the gateway by address and by name", async () => {
  const authority = await openAuthority(await freshFolder(), ports);
  const identity = await serverIdentity(authority, ["127.0.0.1", "localhost"], ports);
  const server = createServer(
    { cert: identity.certificate, key: identity.privateKey },
    (_, reply) => reply.end("ok"),
  );
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  for (const host of ["127.0.0.1", "localhost"]) {
    const status = await new Promise((resolve, reject) => {
      get({ host, port: address.port, ca: authority.certificate, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).on("error", reject);
    });
    expect(status).toBe(200);
  }
});

test("a kubeconfig carries the authority and the token, in a private file", async () => {
  const folder = await freshFolder();
  const authority = await openAuthority(folder, ports);
  const path = join(folder, "deep", "kubeconfig");
  await writeKubeconfig(path, {
    server: "https://127.0.0.1:6443",
    authority,
    random: systemRandom,
  });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(parse(await readFile(path, "utf8"))).toMatchObject({
    clusters: [{ cluster: { server: "https://127.0.0.1:6443" } }],
    users: [{ user: { token: authority.token } }],
  });
});

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "berth-pki-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
