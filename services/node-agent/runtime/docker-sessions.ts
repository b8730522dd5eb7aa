/** Commands in containers, and containers' own processes, joined with over the engine's API. */
import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import { failure, statusCodeOf } from "./engine-error.ts";
import { framesOf, plainOutput } from "./frames.ts";
import { endSession } from "./process-session.ts";
import type { ExecOptions, Session } from "./runtime.ts";

/** Keys that nobody presses in this order: the engine's own would take Ctrl-P from a terminal. */
const detachKeys = "ctrl-@,ctrl-_,ctrl-@,ctrl-^,ctrl-@,ctrl-_";
/** How soon, and at last how often, the engine is asked how a command goes on. */
const askFirstMs = 5;
const askEveryMs = 250;
/** The engine says yes before the command has begun: so long it may take. */
const beginMaxMs = 10_000;

type Ports = { readonly docker: Docker; readonly clock: Clock };

/** @throws {RuntimeFailure} */
export async function execIn(
  { docker, clock }: Ports,
  id: string,
  { command, stdin, tty }: ExecOptions,
  signal: AbortSignal,
): Promise<Session> {
  try {
    const exec = await docker.getContainer(id).exec({
      Cmd: [...command],
      AttachStdin: stdin,
      AttachStdout: true,
      AttachStderr: !tty,
      Tty: tty,
      DetachKeys: detachKeys,
      abortSignal: signal,
    });
    const stream = await exec.start({ hijack: true, stdin: true, Tty: tty, abortSignal: signal });
    const goesOn = () => progressOf(exec, clock);
    let over = false;
    return {
      ...joined(stream, tty),
      async endInput() {
        // Measured with Docker 20.10: an end that comes before the command does is lost at times.
        await begun(goesOn, clock);
        stream.end();
      },
      async resize({ width, height }) {
        await begun(goesOn, clock);
        await exec.resize({ w: width, h: height });
      },
      async exitCode() {
        const { running, exitCode } = await endOf(goesOn, clock, signal);
        over = !running;
        return exitCode;
      },
      async [Symbol.asyncDispose]() {
        stream.destroy();
        if (over) return;
        const { running, pid } = await begun(goesOn, clock);
        if (!running) return;
        const { State } = await docker.getContainer(id).inspect();
        await endSession(pid, { beside: State.Pid, clock });
      },
    };
  } catch (error) {
    throw failure("the engine did not run a command", error);
  }
}

/** @throws {RuntimeFailure} */
export async function attachTo(
  docker: Docker,
  id: string,
  { stdin }: Omit<ExecOptions, "command">,
  signal: AbortSignal,
): Promise<Session> {
  try {
    const container = docker.getContainer(id);
    const { Config } = await container.inspect();
    const attached = await container.attach({
      stream: true,
      hijack: true,
      stdin,
      stdout: true,
      stderr: true,
      detachKeys,
      abortSignal: signal,
    });
    const stream = attached as Duplex; // The socket: hijacked.
    return {
      // Whoever attaches may have no terminal, or the process none.
      ...joined(stream, Config.Tty),
      async endInput() {
        stream.end();
      },
      async resize({ width, height }) {
        if (Config.Tty) await container.resize({ w: width, h: height });
      },
      exitCode: async () => undefined,
      async [Symbol.asyncDispose]() {
        stream.destroy();
      },
    };
  } catch (error) {
    throw failure("the engine did not attach to a container", error);
  }
}

function joined(stream: Duplex, tty: boolean): Pick<Session, "output" | "write"> {
  stream.on("error", () => undefined); // Who reads or writes is told.
  return {
    output: tty ? plainOutput(stream) : framesOf(stream),
    write: (chunk) =>
      new Promise((resolve, reject) => {
        stream.write(chunk, (error) => (error ? reject(error) : resolve()));
      }),
  };
}

type Progress = {
  readonly running: boolean;
  /** 0 until it has begun. */
  readonly pid: number;
  readonly exitCode: number | undefined;
  /** The engine knows nothing of it any more. */
  readonly gone: boolean;
};
const nothing: Progress = { running: false, pid: 0, exitCode: undefined, gone: true };

async function progressOf(exec: Docker.Exec, clock: Clock): Promise<Progress & { atMs: number }> {
  const atMs = clock.monotonicMs();
  try {
    const { Running, Pid, ExitCode } = await exec.inspect();
    return { running: Running, pid: Pid, exitCode: ExitCode ?? undefined, gone: false, atMs };
  } catch (error) {
    if (statusCodeOf(error) === 404 || statusCodeOf(error) === 409) return { ...nothing, atMs };
    throw failure("the engine did not show a command", error);
  }
}

type GoesOn = () => Promise<Progress & { atMs: number }>;

/** How a command goes on, once it has begun. */
async function begun(goesOn: GoesOn, clock: Clock): Promise<Progress> {
  const sinceMs = clock.monotonicMs();
  for (let waitMs = askFirstMs; ; waitMs = Math.min(waitMs * 2, askEveryMs)) {
    const seen = await goesOn();
    const known = seen.gone || seen.exitCode !== undefined || (seen.running && seen.pid > 0);
    if (known || seen.atMs - sinceMs > beginMaxMs) return seen;
    await clock.sleep(waitMs);
  }
}

/** A command may close its output and go on. */
async function endOf(goesOn: GoesOn, clock: Clock, signal: AbortSignal): Promise<Progress> {
  let seen = await begun(goesOn, clock);
  for (let waitMs = askFirstMs; seen.running && !signal.aborted;) {
    await clock.sleep(waitMs, signal);
    seen = await goesOn();
    waitMs = Math.min(waitMs * 2, askEveryMs);
  }
  return seen;
}
