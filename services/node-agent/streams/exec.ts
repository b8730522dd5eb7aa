import * as z from "zod";
import type { Bus, ByteStream, Served } from "../../../libs/bus/bus.ts";
import { execOpening, type ExecOpening } from "../../../libs/protocol/node.ts";
import { nodeSubject } from "../../../libs/protocol/subjects.ts";
import { newestOf } from "../pod/facts.ts";
import type { Session } from "../runtime/runtime.ts";
import { NotHere, type StreamPorts, streamsMax } from "./logs.ts";

/** Channels of v5.channel.k8s.io. */
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
/** A frame is one chunk of a stream, its first byte the channel. */
const payloadMax = 64 * 1_024 - 1;

/** Serves exec and attach. */
export const serveExec = (
  bus: Bus,
  node: string,
  { runtime, signal }: StreamPorts,
): Promise<Served> =>
  bus.accept(
    nodeSubject(node, "exec"),
    async (stream, message) => {
      const opening = execOpening.parse(JSON.parse(new TextDecoder().decode(message.data)));
      const { uid, container, command, stdin, tty } = opening;
      const { newest } = newestOf(runtime.containers(uid), container);
      if (newest?.state !== "running") throw new NotHere(`container not found ("${container}")`);
      const until = AbortSignal.any([stream.closed, signal]);
      await using session =
        command.length === 0
          ? await runtime.attach(newest.id, { stdin, tty }, until)
          : await runtime.exec(newest.id, { command, stdin, tty }, until);
      const feeding = feed(stream, session);
      // Output is awaited, and a command may be silent for ever: the asker's end ends it too.
      const told = tell(stream, session, opening, until);
      told.catch(() => undefined); // It is seen below, unless there is nobody to tell.
      await Promise.race([told, ended(until)]);
      if (!until.aborted) await Promise.race([feeding, ended(until)]);
    },
    { concurrency: streamsMax },
  );

/** The output to its end, then how the command ended. */
async function tell(
  stream: ByteStream,
  session: Session,
  opening: ExecOpening,
  until: AbortSignal,
): Promise<void> {
  for await (const { stream: name, chunk } of session.output) {
    if (!opening[name]) continue;
    for (let at = 0; at < chunk.length; at += payloadMax) {
      await stream.write(frame(channel[name], chunk.subarray(at, at + payloadMax)));
    }
  }
  const exitCode = await session.exitCode();
  if (until.aborted) return;
  const isAttached = opening.command.length === 0;
  const status = exitCode === undefined && !isAttached ? unknownEnd : statusOf(exitCode);
  await stream.write(frame(channel.error, new TextEncoder().encode(JSON.stringify(status))));
  await stream.end();
}

/** What the asker sends, until its end; that it vanished is seen where output is written. */
async function feed(stream: ByteStream, session: Session): Promise<void> {
  try {
    for await (const chunk of stream.readable) {
      const payload = chunk.subarray(1);
      if (chunk[0] === channel.stdin) await session.write(payload);
      if (chunk[0] === channel.close && payload[0] === channel.stdin) await session.endInput();
      if (chunk[0] === channel.resize) await session.resize(sizeIn(payload));
    }
    await session.endInput();
  } catch {
    // The command or the asker has ended: nothing more can be fed.
  }
}

function sizeIn(payload: Uint8Array): { width: number; height: number } {
  const { Width, Height } = terminalSize.parse(JSON.parse(new TextDecoder().decode(payload)));
  return { width: Width, height: Height };
}

const terminalSize = z.object({ Width: z.int().min(0), Height: z.int().min(0) });

const ended = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

function frame(to: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(payload.length + 1);
  bytes[0] = to;
  bytes.set(payload, 1);
  return bytes;
}

/** Its container ended, or was removed, while it ran. */
const unknownEnd = {
  apiVersion: "v1",
  kind: "Status",
  metadata: {},
  status: "Failure",
  reason: "InternalError",
  message: "Internal error occurred: the container has ended, and the command with it",
  code: 500,
};

/** The v1 Status that says how a command ended. */
export function statusOf(exitCode: number | undefined): object {
  const head = { apiVersion: "v1", kind: "Status", metadata: {} };
  if (exitCode === undefined || exitCode === 0) return { ...head, status: "Success" };
  return {
    ...head,
    status: "Failure",
    reason: "NonZeroExitCode",
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
}
