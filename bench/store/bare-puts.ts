/** What the store does alone, for benchmarks of what rests on it. */
import type { Store } from "../../libs/store/store.ts";

const writers = 64;

/** @returns ms a revision, when 64 writers of single keys share the store for two seconds */
export async function barePutMs(store: Pick<Store, "commit">, forMs = 2_000): Promise<number> {
  const value = new TextEncoder().encode(JSON.stringify({ filler: "x".repeat(1_500) }));
  const begunMs = performance.now();
  let written = 0;
  const write = async (writer: number) => {
    let expect: number | "absent" = "absent";
    const key = `bench.${writer}`;
    while (performance.now() - begunMs < forMs) {
      const outcome = await store.commit([{ op: "put", key, expect, value }]);
      if (!outcome.ok) throw new Error("a writer lost a race against itself");
      expect = outcome.revision;
      written += 1;
    }
    if (expect !== "absent") await store.commit([{ op: "delete", key, expect, last: value }]);
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return (performance.now() - begunMs) / written;
}
