/** What a container that has ended says about its end: the file it wrote, or the end of its log. */
import { chmod, mkdir, open, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Mount, type Observed, sandboxName } from "../runtime/runtime.ts";
import { containersOf, type PodHands, specOf } from "./hands.ts";
import type { Container } from "./spec.ts";
import { podFolder } from "./folder.ts";

/** @see https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/ */
const [messageBytesMax, logBytesMax, logLinesMax] = [4_096, 2_048, 80];
/** How long an engine may take to show the end of a log. */
const logMs = 2_000;

const messageFile = (folder: string, container: string, attempt: number) =>
  join(folder, "containers", container, String(attempt), "termination-log");

/** A file of this attempt's own, where the container may write its message; none for an odd path. */
export async function terminationMount(
  folder: string,
  { name, terminationMessagePath }: Container,
  attempt: number,
): Promise<readonly Mount[]> {
  if (!terminationMessagePath.startsWith("/")) return [];
  const source = messageFile(folder, name, attempt);
  await mkdir(dirname(source), { recursive: true });
  await writeFile(source, "");
  await chmod(source, 0o666); // Whoever the container runs as.
  return [{ kind: "bind", source, target: terminationMessagePath, readOnly: false }];
}

/** Reads each message once. */
export function terminationMessages(hands: PodHands): {
  /** Reads those of all containers that have ended. */
  gather(): Promise<void>;
  /** By container id. */
  read(): ReadonlyMap<string, string>;
} {
  const { uid, context, clock, signal } = hands;
  const folder = podFolder(context.dataDir, uid);
  const messages = new Map<string, string>();

  async function messageOf({ id, container: name, attempt, exitCode }: Observed): Promise<string> {
    const written = await headOf(messageFile(folder, name, attempt));
    const policy = specOf(hands, name)?.terminationMessagePolicy;
    if (written !== "" || policy !== "FallbackToLogsOnError" || exitCode === 0) return written;
    const limit = new AbortController();
    using _timer = clock.after(logMs, () => limit.abort());
    const options = {
      follow: false,
      timestamps: false,
      tailLines: logLinesMax,
      sinceMs: undefined,
    };
    let tail = Buffer.alloc(0);
    const until = AbortSignal.any([limit.signal, signal]);
    try {
      for await (const chunk of context.runtime.logs(id, options, until)) {
        tail = Buffer.concat([tail, chunk]).subarray(-logBytesMax);
      }
    } catch (error) {
      hands.log.debug({ err: error, id }, "the end of a log could not be read");
    }
    return tail.toString("utf8");
  }

  const endedNow = () =>
    containersOf(hands).filter(
      ({ state, container }) => state === "exited" && container !== sandboxName,
    );

  return {
    async gather() {
      const ids = new Set(endedNow().map(({ id }) => id));
      for (const id of messages.keys()) if (!ids.has(id)) messages.delete(id);
      // Again for those that end meanwhile: whoever sees a container ended sees its message.
      for (;;) {
        const fresh = endedNow().filter(({ id }) => !messages.has(id));
        if (fresh.length === 0) return;
        await Promise.all(fresh.map(async (one) => messages.set(one.id, await messageOf(one))));
      }
    },
    read: () => messages,
  };
}

/** Its first bytes; empty when there is no such file. */
async function headOf(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    const buffer = Buffer.alloc(messageBytesMax);
    const { bytesRead } = await file.read(buffer, 0, messageBytesMax, 0);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } catch {
    return ""; // It was never made, or went with its pod.
  }
}
