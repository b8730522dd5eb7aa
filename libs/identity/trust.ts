/**
 * The certificates that the cluster's gateways prove themselves with (ADR 0018): kept in the state by
 * the gateways, so that the controllers can hand them to pods.
 */
import * as z from "zod";
import { trustKey } from "../cluster/key.ts";
import type { ClusterView } from "../cluster/view.ts";
import type { Entry, Store } from "../store/store.ts";

/** It has metadata as objects have, so that whoever follows the state hears of its change. */
const stored = z.object({
  apiVersion: z.literal("berth.dev/v1"),
  kind: z.literal("Trust"),
  metadata: z.looseObject({ name: z.string() }),
  /** PEM, the newest first. */
  certificates: z.array(z.string()),
});
export type Trust = z.output<typeof stored>;

/** Gateways on several machines may have authorities of their own; of more the oldest go. */
const certificatesMax = 8;
const attemptsMax = 20;

/** Adds an authority to those that pods trust. */
export async function publishTrust(store: Store, certificate: string): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const entry = await store.get(trustKey);
    const known = entry === undefined ? [] : certificatesOf(entry);
    if (known.includes(certificate)) return;
    const trust: Trust = {
      apiVersion: "berth.dev/v1",
      kind: "Trust",
      metadata: { name: "trust" },
      certificates: [certificate, ...known].slice(0, certificatesMax),
    };
    const value = new TextEncoder().encode(JSON.stringify(trust));
    const expect = entry === undefined ? "absent" : entry.revision;
    const { ok } = await store.commit([{ op: "put", key: trustKey, expect, value }]);
    if (ok) return;
  }
  throw new Error("too many others wrote the cluster's trust at the same time");
}

/** What pods are given as `ca.crt`; undefined until a gateway has said what it is. */
export function trustedIn(view: ClusterView): string | undefined {
  const { data } = stored.safeParse(view.raw.get(trustKey)?.value);
  return data && data.certificates.map((one) => `${one.trim()}\n`).join("");
}

const certificatesOf = ({ value }: Entry): readonly string[] =>
  stored.parse(JSON.parse(new TextDecoder().decode(value))).certificates;
