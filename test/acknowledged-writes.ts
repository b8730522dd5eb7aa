/** Users who write without pause and remember what was acknowledged to them. */
import type { Bus } from "../libs/bus/bus.ts";
import { apiSubject } from "../libs/protocol/subjects.ts";
import * as z from "zod";

const writers = 4;
const answerMaxMs = 3_000;

export type Acknowledged = {
  /** ConfigMaps that were made, by name. */
  readonly made: readonly string[];
  /** The last count that each ConfigMap's writer was told was stored. */
  readonly counts: ReadonlyMap<string, number>;
  /** Writes that were not acknowledged: stored or not. */
  readonly unanswered: number;
};

const answered = z.object({ ok: z.literal(true) });
const listed = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      data: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

/** Each writer makes one ConfigMap after the other and raises a count, until `signal` aborts. */
export async function writeUntil(
  bus: Pick<Bus, "request">,
  namespace: string,
  signal: AbortSignal,
): Promise<Acknowledged> {
  const made: string[] = [];
  const counts = new Map<string, number>();
  let unanswered = 0;
  const write = async (writer: number) => {
    const counter = `counter-${writer}`;
    for (let nth = 1; !signal.aborted; nth += 1) {
      const name = `made-${writer}-${nth}`;
      const body = [configMap(namespace, name, nth), configMap(namespace, counter, nth)];
      try {
        const data = new TextEncoder().encode(body.join("---\n"));
        const reply = await bus.request(apiSubject("apply"), data, { timeoutMs: answerMaxMs });
        answered.parse(JSON.parse(new TextDecoder().decode(reply)));
        made.push(name);
        counts.set(counter, nth);
      } catch {
        unanswered += 1; // Nobody was told that it is stored.
      }
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return { made, counts, unanswered };
}

/** What of it is not there; `json` is a list of the namespace's ConfigMaps. */
export function lostOf({ made, counts }: Acknowledged, json: string): readonly string[] {
  const { items } = listed.parse(JSON.parse(json));
  const found = new Map(
    items.map(({ metadata, data }) => [metadata.name, Number(data?.["count"])]),
  );
  const missing = made.filter((name) => !found.has(name));
  const behind = [...counts].filter(([name, count]) => (found.get(name) ?? 0) < count);
  return [...missing, ...behind.map(([name]) => name)];
}

const configMap = (namespace: string, name: string, count: number) => `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: ${namespace} }
data: { count: "${count}" }
`;
