import type { Bus, Served } from "../../../libs/bus/bus.ts";
import { logsOpening, type LogsOpening } from "../../../libs/protocol/node.ts";
import { nodeSubject } from "../../../libs/protocol/subjects.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import { newestOf } from "../pod/facts.ts";
import type { ContainerRuntime } from "../runtime/runtime.ts";

/** What a stream's chunk may hold at most. */
const chunkMax = 64 * 1_024;

/** Streams of a kind that a node serves at once; further ones wait to be accepted. */
export const streamsMax = 1_000;

/** A stream ends with its asker, or when `signal` aborts: the agent would wait for it otherwise. */
export type StreamPorts = { readonly runtime: ContainerRuntime; readonly signal: AbortSignal };

/** A refusal that the asker is shown. */
export class NotHere extends Error {
  override readonly name = "NotHere";
}

/** Serves containers' logs; a slow reader slows the engine, nothing is gathered here. */
export const serveLogs = (
  bus: Bus,
  node: string,
  { runtime, clock, signal }: StreamPorts & { readonly clock: Clock },
): Promise<Served> =>
  bus.accept(
    nodeSubject(node, "logs"),
    async (stream, message) => {
      const opening = logsOpening.parse(JSON.parse(new TextDecoder().decode(message.data)));
      const id = containerFor(runtime, opening);
      const { follow, timestamps, tailLines, sinceSeconds, sinceTime } = opening;
      const sinceMs =
        sinceSeconds === undefined
          ? sinceTime === undefined
            ? undefined
            : Date.parse(sinceTime)
          : clock.now() - sinceSeconds * 1_000;
      const until = AbortSignal.any([stream.closed, signal]);
      let left = opening.limitBytes ?? Infinity;
      const only = outputs[opening.stream];
      const options = { follow, timestamps, tailLines, sinceMs, only };
      for await (const chunk of runtime.logs(id, options, until)) {
        for (let at = 0; at < chunk.length && left > 0; at += chunkMax) {
          const part = chunk.subarray(at, at + Math.min(chunkMax, left));
          left -= part.length;
          await stream.write(part);
        }
        if (left <= 0) break;
      }
      await stream.end();
    },
    { concurrency: streamsMax },
  );

const outputs = { All: undefined, Stdout: "stdout", Stderr: "stderr" } as const;

function containerFor(
  runtime: ContainerRuntime,
  { uid, pod, container, previous }: LogsOpening,
): string {
  const { newest, older } = newestOf(runtime.containers(uid), container);
  const chosen = previous ? older[0] : newest;
  if (chosen !== undefined) return chosen.id;
  throw new NotHere(
    previous
      ? `previous terminated container "${container}" in pod "${pod}" not found`
      : `container "${container}" in pod "${pod}" is not available`,
  );
}
