/** Runs a probe or a lifecycle hook against a running container. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { ContainerRuntime } from "../runtime/runtime.ts";
import type { Container, Handler } from "./spec.ts";

export type Checked = { readonly ok: boolean; readonly message: string };

export type CheckTarget = {
  readonly handler: Handler;
  readonly container: Container;
  readonly id: string;
  readonly address: string;
  readonly timeoutMs: number;
};

/** What a failed command printed, kept for the event. */
const messageBytesMax = 1_024;

/** Never throws: what cannot be checked has failed. */
export async function check(
  { handler, container, id, address, timeoutMs }: CheckTarget,
  { runtime, clock }: { readonly runtime: ContainerRuntime; readonly clock: Clock },
): Promise<Checked> {
  const limit = new AbortController();
  using _timer = clock.after(timeoutMs, () => limit.abort());
  const { signal } = limit;
  try {
    const { httpGet, tcpSocket, exec, sleep } = handler;
    const asksPort = httpGet !== undefined || tcpSocket !== undefined;
    if (asksPort && runtime.answersForPorts === true) return { ok: true, message: "" };
    if (httpGet !== undefined) {
      const port = portOf(httpGet.port, container);
      return await checkHttp({ ...httpGet, port }, httpGet.host ?? address, signal);
    }
    if (tcpSocket !== undefined) {
      return await checkTcp(tcpSocket.host ?? address, portOf(tcpSocket.port, container), signal);
    }
    if (exec !== undefined) return await checkExec(runtime, id, exec.command, signal);
    if (sleep !== undefined) await clock.sleep(sleep.seconds * 1_000, signal);
    return signal.aborted ? { ok: false, message: "timed out" } : { ok: true, message: "" };
  } catch (error) {
    const message = signal.aborted
      ? "timed out"
      : error instanceof Error
        ? error.message
        : "failed";
    return { ok: false, message };
  }
}

/** A port by its name, or as it is. */
function portOf(port: number | string, { ports }: Container): number {
  if (typeof port === "number") return port;
  return ports.find(({ name }) => name === port)?.containerPort ?? Number(port);
}

function checkHttp(
  get: {
    path?: string | undefined;
    port: number;
    scheme?: string | undefined;
    httpHeaders?: { name: string; value: string }[] | undefined;
  },
  host: string,
  signal: AbortSignal,
): Promise<Checked> {
  const secure = get.scheme?.toUpperCase() === "HTTPS";
  const own = Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }) => [name, value]));
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(
      {
        host,
        port: get.port,
        path: get.path ?? "/",
        headers: { "User-Agent": "kube-probe/berth", Accept: "*/*", Connection: "close", ...own },
        agent: false,
        rejectUnauthorized: false, // As Kubernetes: a probe asks whether it answers, not who it is.
        signal,
      },
      (response) => {
        response.resume();
        const code = response.statusCode ?? 0;
        const ok = code >= 200 && code < 400;
        resolve({ ok, message: ok ? "" : `HTTP probe failed with statuscode: ${code}` });
      },
    );
    request.on("error", reject);
    request.end();
  });
}

function checkTcp(host: string, port: number, signal: AbortSignal): Promise<Checked> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const abort = () => socket.destroy(new Error("timed out"));
    signal.addEventListener("abort", abort, { once: true });
    socket.on("close", () => signal.removeEventListener("abort", abort));
    socket.on("error", reject);
    socket.on("connect", () => {
      socket.destroy();
      resolve({ ok: true, message: "" });
    });
  });
}

async function checkExec(
  runtime: ContainerRuntime,
  id: string,
  command: readonly string[],
  signal: AbortSignal,
): Promise<Checked> {
  await using session = await runtime.exec(id, { command, stdin: false, tty: false }, signal);
  const ended = new Promise<never>((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(new Error("timed out")), { once: true }),
  );
  const read = async () => {
    let text = "";
    for await (const { chunk } of session.output) {
      if (text.length < messageBytesMax) text += Buffer.from(chunk).toString("utf8");
    }
    return text.slice(0, messageBytesMax);
  };
  const message = await Promise.race([read(), ended]);
  const ok = (await session.exitCode()) === 0;
  return { ok, message: ok ? "" : message };
}
