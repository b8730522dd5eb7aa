/**
 * Dials ports in a pod's network namespace, where servers may listen on localhost alone. A process
 * cannot enter another namespace and come back: a helper is started in it, which connects and hands
 * the socket over. No byte of a connection passes through the helper.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readlink } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";

/** A helper is some 45 MB: so many at most, and none that nobody has used for so long. */
const helpersMax = 4;
const idleMs = 10_000;
const dialMaxMs = 10_000;
const program = join(import.meta.dirname, "dial-here.ts");

/** No helper can be had in the namespace: the pod's address must do. */
export class NamespaceClosed extends Error {
  override readonly name = "NamespaceClosed";
}
/** Nobody listens there, or does not answer. */
export class DialFailed extends Error {
  override readonly name = "DialFailed";
}

export type NamespaceDialer = AsyncDisposable & {
  /** @throws {NamespaceClosed | DialFailed} */
  dial(pid: number, port: number): Promise<Socket>;
};

type Helper = {
  readonly child: ChildProcess;
  readonly pending: Map<number, PromiseWithResolvers<Socket>>;
  usedMs: number;
};
/** What a helper is asked, and answers beside the socket. */
export type DialQuestion = { readonly id: number; readonly port: number };
export type DialAnswer = { readonly id: number; readonly error?: string };

export function namespaceDialer({
  clock,
  log,
}: {
  readonly clock: Clock;
  readonly log: Log;
}): NamespaceDialer {
  const helpers = new Map<string, Helper>();
  let serial = 0;

  async function namespaceOf(pid: number): Promise<string> {
    try {
      const [its, ours] = await Promise.all([
        readlink(`/proc/${pid}/ns/net`),
        readlink("/proc/self/ns/net"),
      ]);
      if (its !== ours) return its;
    } catch (error) {
      throw new NamespaceClosed("the namespace is not in sight", { cause: error });
    }
    throw new NamespaceClosed("the namespace is the machine's own");
  }

  function begin(namespace: string, pid: number): Helper {
    makeRoom();
    const child = spawn("nsenter", [`--net=/proc/${pid}/ns/net`, process.execPath, program], {
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const helper: Helper = { child, pending: new Map(), usedMs: clock.monotonicMs() };
    helpers.set(namespace, helper);
    const end = (error: Error) => {
      if (helpers.get(namespace) === helper) helpers.delete(namespace);
      for (const waiting of helper.pending.values()) waiting.reject(error);
      helper.pending.clear();
    };
    child.once("error", (error) => end(new NamespaceClosed(error.message, { cause: error })));
    child.once("exit", () => end(new NamespaceClosed("nobody could be sent into the namespace")));
    child.on("message", (message, socket) => {
      const { id, error } = message as DialAnswer; // As dial-here.ts sends it.
      const waiting = helper.pending.get(id);
      helper.pending.delete(id);
      if (socket === undefined) waiting?.reject(new DialFailed(error ?? "the socket was lost"));
      else if (waiting === undefined) (socket as Socket).destroy();
      else waiting.resolve(socket as Socket); // dial-here.ts sends no other handle.
    });
    watch(namespace, helper);
    return helper;
  }

  /** Ends it when nobody has used it for a while. */
  function watch(namespace: string, helper: Helper): void {
    clock.after(idleMs, () => {
      if (helpers.get(namespace) !== helper) return;
      const idle = clock.monotonicMs() - helper.usedMs >= idleMs && helper.pending.size === 0;
      if (idle) dismiss(namespace, helper);
      else watch(namespace, helper);
    });
  }

  function dismiss(namespace: string, { child }: Helper): void {
    helpers.delete(namespace);
    if (child.connected) child.disconnect(); // Then it ends.
  }

  function makeRoom(): void {
    if (helpers.size < helpersMax) return;
    const idle = [...helpers]
      .filter(([, { pending }]) => pending.size === 0)
      .toSorted(([, a], [, b]) => a.usedMs - b.usedMs)[0];
    if (idle === undefined) throw new NamespaceClosed("too many namespaces are being dialled into");
    dismiss(...idle);
  }

  return {
    async dial(pid, port) {
      const namespace = await namespaceOf(pid);
      const helper = helpers.get(namespace) ?? begin(namespace, pid);
      helper.usedMs = clock.monotonicMs();
      serial += 1;
      const id = serial;
      const waiting = Promise.withResolvers<Socket>();
      helper.pending.set(id, waiting);
      using _limit = clock.after(dialMaxMs, () => waiting.reject(new DialFailed("i/o timeout")));
      const question: DialQuestion = { id, port };
      helper.child.send(question, (error) => {
        if (error) waiting.reject(new NamespaceClosed(error.message, { cause: error }));
      });
      try {
        return await waiting.promise;
      } finally {
        helper.pending.delete(id);
      }
    },
    async [Symbol.asyncDispose]() {
      log.debug({ helpers: helpers.size }, "dials into namespaces no more");
      for (const [namespace, helper] of helpers) dismiss(namespace, helper);
    },
  };
}
