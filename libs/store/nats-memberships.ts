/**
 * Memberships on a JetStream bucket in memory: a lease is a key with a time to live, and the server
 * itself announces a holder that died, by expiring its key.
 */
import { headers, type NatsConnection } from "@nats-io/nats-core";
import * as z from "zod";
import { feedOf, type Source } from "./feed.ts";
import { isKey, streamOf, subjectOf } from "./key-subject.ts";
import { orUnavailable } from "./jetstream-api.ts";
import { lingering } from "./lingering.ts";
import type { Member, Memberships } from "./memberships.ts";
import { beginLife } from "./nats-consumer.ts";
import { type Link, natsLink } from "./nats-link.ts";
import { ensureLeases } from "./nats-streams.ts";
import { StoreUnavailable } from "./store.ts";
import type { StorePorts } from "./store-on-stream.ts";

export type NatsMembershipsOptions = StorePorts &
  /** Servers' URLs, separated by commas; or a connection, which the caller closes. */
  ({ readonly url: string } | { readonly connection: NatsConnection }) & {
    readonly bucket?: string;
    /** Copies of the leases, where their stream is made: 3 in a cluster. */
    readonly replicas?: number;
  };

/** The server's minimum. It announces the expiry up to 250 ms late. */
const leaseMs = 1_000;
const renewMs = 300;
const retryMs = { first: 50, most: 500 };

/**
 * Connects, and makes the bucket where it is absent.
 *
 * @throws {StoreUnavailable} when JetStream is not ready within a minute
 */
export async function natsMemberships(
  options: NatsMembershipsOptions,
): Promise<Memberships & AsyncDisposable> {
  const { bucket = "leases", replicas = 1, clock, log } = options;
  const link = await natsLink(options);
  const closed = new AbortController();
  const until = (signal: AbortSignal) => AbortSignal.any([signal, closed.signal]);
  const ensure = () => ensureLeases(link, { bucket, replicas }, clock, closed.signal);
  try {
    await ensure();
  } catch (error) {
    await link[Symbol.asyncDispose]();
    throw error;
  }

  /** Renews until `signal` aborts; after a reconnect at once, as the server may have lost it (W3). */
  async function renew(subject: string, member: Member, signal: AbortSignal): Promise<void> {
    let pause = retryMs.first;
    while (!signal.aborted) {
      try {
        const lease = headers();
        lease.set("Nats-TTL", `${leaseMs / 1_000}s`);
        const options = { headers: lease, timeoutMs: leaseMs };
        const reply = await link.request(subject, JSON.stringify(member), options);
        if (!acknowledged.safeParse(reply.json()).success) {
          throw new StoreUnavailable("the lease was refused");
        }
        pause = retryMs.first;
        await sleepOrReconnect(link, renewMs, signal);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        log.debug({ err: error, member: member.id }, "lease not renewed");
        await sleepOrReconnect(link, pause, signal);
        pause = Math.min(pause * 2, retryMs.most);
        await ensure().catch((cause: unknown) => log.warn({ err: cause }, "no leases bucket"));
      }
    }
  }

  async function sleepOrReconnect(link: Link, ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    using _listening = link.onReconnect(() => woken.abort());
    await clock.sleep(ms, AbortSignal.any([signal, woken.signal]));
  }

  /** A rollup marker: the others hear of it at once. Best effort, the lease ends anyway. */
  async function release(subject: string): Promise<void> {
    const marker = headers();
    marker.set("KV-Operation", "PURGE");
    marker.set("Nats-Rollup", "sub");
    marker.set("Nats-TTL", `${leaseMs / 1_000}s`);
    try {
      await link.request(subject, "", { headers: marker, timeoutMs: 500 });
    } catch (error) {
      log.debug({ err: error }, "lease not released");
    }
  }

  return {
    async announce(member, signal) {
      const key = `${member.group}.${member.id}`;
      if (!isKey(key)) throw new RangeError(`not a lease's key: ${JSON.stringify(key)}`);
      const subject = subjectOf(bucket, key);
      await renew(subject, member, until(signal));
      await release(subject);
    },
    async follow(group, changed, given) {
      const signal = until(given);
      const leases: Source = {
        tombstoneMs: leaseMs,
        nextOfAll: async () => undefined,
        lastRevision: async () => 0,
        async begin(_source, life) {
          await ensure(); // With its server the bucket is gone.
          return orUnavailable(
            beginLife(link, { ...life, bucket, stream: streamOf(bucket), clock }),
          );
        },
      };
      using members = lingering(changed, leaseMs * 1.5, clock);
      for await (const item of feedOf(leases, { after: 0, signal }, { clock, log })) {
        if (item.type === "reset") members.doubt();
        if (item.type === "loaded") members.loaded();
        if (item.type !== "entry" || !item.entry.key.startsWith(`${group}.`)) continue;
        const { key, deleted, value } = item.entry;
        if (deleted) members.left(key.slice(group.length + 1));
        else members.here(member.parse(JSON.parse(new TextDecoder().decode(value))));
      }
    },
    async [Symbol.asyncDispose]() {
      closed.abort();
      await link[Symbol.asyncDispose]();
    },
  };
}

const acknowledged = z.object({ seq: z.number() });
const member = z.object({ id: z.string(), group: z.string() });
