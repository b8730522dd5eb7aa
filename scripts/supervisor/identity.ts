import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { join } from "node:path";
import * as z from "zod";
import type { Ranges } from "./ranges.ts";

/** What makes a cluster the same one after a restart; in `<dir>/cluster.json`. */
const identity = z
  .object({
    id: z.string().regex(/^[a-z0-9]{6}$/),
    natsPort: z.int(),
    podCIDR: z.string().optional(),
    serviceCIDR: z.string().optional(),
    natsServers: z.int().optional(),
  })
  // A cluster that was made before there could be several has one.
  .transform(({ natsServers, ...read }) => {
    const servers = natsServers ?? (read.podCIDR === undefined ? undefined : 1);
    return { ...read, ...(servers !== undefined && { natsServers: servers }) };
  });
export type Identity = z.output<typeof identity>;

/** The recorded identity of the cluster in `dir`; a new one where there is none. */
export async function identityIn(dir: string): Promise<Identity> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, "cluster.json");
  if (existsSync(file)) return identity.parse(JSON.parse(readFileSync(file, "utf8")));
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  const id = Array.from({ length: 6 }, () => letters[randomInt(letters.length)]).join("");
  const made = { id, natsPort: await freePort() };
  writeFileSync(file, JSON.stringify(made));
  return made;
}

/** Keeps with the cluster in `dir` what its state was made with. */
export async function recordOf(
  dir: string,
  made: Ranges & { readonly natsServers: number },
): Promise<void> {
  await change(dir, made);
}

async function change(dir: string, changes: Partial<Identity>): Promise<void> {
  const changed = { ...(await identityIn(dir)), ...changes };
  const file = join(dir, "cluster.json");
  writeFileSync(`${file}.new`, JSON.stringify(changed));
  renameSync(`${file}.new`, file); // Whole or not at all: it is the cluster's identity.
}

/** The recorded port of nats-server, or another that is recorded now when a program has taken it. */
export async function freeNatsPort(dir: string): Promise<number> {
  const { natsPort } = await identityIn(dir);
  if (await isFree(natsPort)) return natsPort;
  const another = await freePort();
  await change(dir, { natsPort: another });
  return another;
}

/** Whether a TCP port of 127.0.0.1 can be listened on. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => void server.close(() => resolve(true)));
  });
}

/** A TCP port of 127.0.0.1 that nobody uses at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new Error("no port was given"));
      });
    });
  });
}
