import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { failure } from "./engine-error.ts";
import { framesOf, plainOutput } from "./frames.ts";
import type { LogOptions } from "./runtime.ts";

/** A container's log as the engine keeps it. @throws {RuntimeFailure} */
export async function* logsOf(
  docker: Docker,
  id: string,
  { follow, timestamps, tailLines, sinceMs, only }: LogOptions,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const { Config } = await docker.getContainer(id).inspect();
  const query = new URLSearchParams({
    stdout: only === "stderr" ? "0" : "1",
    stderr: only === "stdout" ? "0" : "1",
    follow: follow ? "1" : "0",
    timestamps: timestamps ? "1" : "0",
    tail: tailLines === undefined ? "all" : String(tailLines),
    ...(sinceMs !== undefined && { since: String(sinceMs / 1_000) }),
  });
  // Not container.logs(): without follow it holds the whole log in memory.
  const stream = await new Promise<Readable>((resolve, reject) => {
    docker.modem.dial(
      {
        path: `/containers/${id}/logs?${query.toString()}`,
        method: "GET",
        isStream: true,
        abortSignal: signal,
        statusCodes: { 200: true, 101: true, 404: "no such container", 500: "server error" },
      },
      (error: unknown, answer: unknown) => {
        if (error === null || error === undefined) resolve(answer as Readable); // As isStream says.
        else reject(failure("the engine gave no logs", error));
      },
    );
  });
  const outputs = Config.Tty ? plainOutput(stream) : framesOf(stream);
  try {
    for await (const { chunk } of outputs) yield chunk;
  } catch (error) {
    if (!signal.aborted) throw failure("the logs broke off", error);
  } finally {
    stream.destroy();
  }
}
