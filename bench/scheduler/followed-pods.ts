/** When pods came to be and when they were bound, as one watch saw it. */
import * as z from "zod";
import type { KubeClient } from "../cluster/kube-client.ts";

const event = z.object({
  object: z.object({
    metadata: z.object({ name: z.string() }),
    spec: z.object({ nodeName: z.string().default("") }),
  }),
});
const list = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
const withinMs = 600_000;

export type FollowedPods = AsyncDisposable & {
  /** By name, when each was first seen. */
  readonly seenAtMs: ReadonlyMap<string, number>;
  /** By name, when each was first seen with a node. */
  readonly boundAtMs: ReadonlyMap<string, number>;
  /** Resolves once so many have a node. */
  untilBound(count: number): Promise<void>;
};

/** Follows the namespace's pods from now on. */
export async function followPods(client: KubeClient, namespace: string): Promise<FollowedPods> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const { metadata } = list.parse(await client.call("GET", `${path}?limit=1`));
  const watch = await client.watch(`${path}?watch=1&resourceVersion=${metadata.resourceVersion}`);
  const seenAtMs = new Map<string, number>();
  const boundAtMs = new Map<string, number>();
  let [wanted, reached] = [Number.POSITIVE_INFINITY, Promise.withResolvers<void>()];
  const reading = (async () => {
    for await (const change of watch.events) {
      const { metadata, spec } = event.parse(change).object;
      const now = performance.now();
      if (!seenAtMs.has(metadata.name)) seenAtMs.set(metadata.name, now);
      if (spec.nodeName === "" || boundAtMs.has(metadata.name)) continue;
      boundAtMs.set(metadata.name, now);
      if (boundAtMs.size >= wanted) reached.resolve();
    }
  })().catch(() => "the watch was closed");
  return {
    seenAtMs,
    boundAtMs,
    async untilBound(count) {
      if (boundAtMs.size >= count) return;
      [wanted, reached] = [count, Promise.withResolvers<void>()];
      const late = () => reached.reject(new Error(`${boundAtMs.size} of ${count} pods were bound`));
      const timer = setTimeout(late, withinMs);
      await reached.promise.finally(() => clearTimeout(timer));
    },
    async [Symbol.asyncDispose]() {
      watch[Symbol.dispose]();
      await reading;
    },
  };
}
