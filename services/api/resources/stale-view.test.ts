/** What a gateway answers whose replica lags behind its own writes, or those of others. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryStore } from "../../../libs/store/memory.ts";
import type { FeedItem, Store } from "../../../libs/store/store.ts";
import { type HttpsClient, httpsClient } from "../../../test/https-client.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";

const all = "/api/v1/namespaces/lag/configmaps";
const contentType = "application/merge-patch+json";

/** A store whose feed stands while it is held. */
function held(store: Store) {
  let hold: Promise<void> = Promise.resolve();
  return {
    store: {
      ...store,
      async *feed(given): AsyncGenerator<FeedItem> {
        for await (const item of store.feed(given)) {
          await hold;
          yield item;
        }
      },
    } satisfies Store,
    /** @returns what lets it go on */
    hold(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      hold = promise;
      return resolve;
    },
  };
}

describe("a gateway that lags", () => {
  const lagging = held(memoryStore());
  let gateway: MemoryGateway;
  let client: HttpsClient;
  beforeAll(async () => {
    gateway = await openMemoryGateway({ state: lagging.store });
    client = httpsClient(gateway);
    await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name: "lag" } } });
  });
  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await lagging.store[Symbol.asyncDispose]();
  });
  const make = (name: string) =>
    client.call("POST", all, { body: { metadata: { name }, data: { a: "1" } } });
  const set = (name: string, a: string, query = "") =>
    client.call("PATCH", `${all}/${name}${query}`, { body: { data: { a } }, contentType });
  const dataOf = async (name: string) => (await client.call("GET", `${all}/${name}`)).body["data"];
  /** Once the store has been asked by what is under way, or has answered it. */
  const during = async <T>(release: () => void, answer: Promise<T>): Promise<T> => {
    await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 50))]);
    release();
    return answer;
  };

  test("does not take a change back to what it still shows for nothing to do", async () => {
    await make("back");
    await client.call("GET", `${all}/back`);
    const release = lagging.hold();
    expect((await set("back", "2")).code).toBe(200);
    const answer = await during(release, set("back", "1"));
    expect(answer.body["data"]).toEqual({ a: "1" });
    expect(await dataOf("back")).toEqual({ a: "1" });
  });

  test("says what would become of the object as it is now", async () => {
    await make("dry");
    await client.call("GET", `${all}/dry`);
    const release = lagging.hold();
    const { body } = await set("dry", "2");
    const answer = await during(release, set("dry", "1", "?dryRun=All"));
    const revision = ({ metadata }: Record<string, unknown>) =>
      (metadata as { resourceVersion: string }).resourceVersion;
    expect(revision(answer.body)).toBe(revision(body));
    expect(await dataOf("dry")).toEqual({ a: "2" });
  });
});
