/** kubectl as a process whose bytes are streamed: what is large, goes on, or is to be killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ensureKubectl } from "../scripts/tools/tools.ts";
import { eventually, type TestCluster } from "./cluster.ts";

export type KubectlProcess = AsyncDisposable & {
  readonly child: ChildProcess;
  /** What it has printed so far, the first 64 KiB of it. */
  stdout(): string;
  stderr(): string;
  /** Waits until it has printed that. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  write(text: string): void;
  endInput(): void;
  readonly ended: Promise<{
    readonly code: number | null;
    readonly bytes: number;
    /** SHA-256 of all that it printed. */
    readonly digest: string;
  }>;
};

type Options = {
  readonly input?: Iterable<Uint8Array>;
  readonly env?: Readonly<Record<string, string>>;
  /** Another kubectl than the newest. */
  readonly program?: string;
};
const keptMax = 64 * 1_024;

export async function kubectlProcess(
  { kubeconfig }: Pick<TestCluster, "kubeconfig">,
  args: readonly string[],
  { input, env = {}, program }: Options = {},
): Promise<KubectlProcess> {
  const child = spawn(program ?? (await ensureKubectl()), args, {
    env: { ...process.env, HOME: homedir(), KUBECONFIG: kubeconfig, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const [hash, kept] = [createHash("sha256"), { stdout: "", stderr: "" }];
  let bytes = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.byteLength;
    if (kept.stdout.length < keptMax) kept.stdout += chunk.toString();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (kept.stderr.length < keptMax) kept.stderr += text;
  });
  child.stdin.on("error", () => undefined); // It may end before it has read its input.
  if (input !== undefined) pipeline(Readable.from(input), child.stdin).catch(() => undefined); // As above.
  const ended = new Promise<Awaited<KubectlProcess["ended"]>>((resolve) => {
    child.once("close", (code) => resolve({ code, bytes, digest: hash.digest("hex") }));
  });
  return {
    child,
    stdout: () => kept.stdout,
    stderr: () => kept.stderr,
    says: (pattern) =>
      eventually(
        `kubectl says ${pattern.source}`,
        async () => {
          const found = pattern.exec(kept.stdout + kept.stderr);
          if (found === null) throw new Error(`it said: ${kept.stdout}${kept.stderr}`);
          return found;
        },
        20_000,
      ),
    write: (text) => void child.stdin.write(text),
    endInput: () => void child.stdin.end(),
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await ended;
    },
  };
}

/** So many bytes that do not compress, the same each time, and their SHA-256. */
export function someBytes(count: number): {
  readonly chunks: Iterable<Uint8Array>;
  readonly digest: () => string;
} {
  const block = Buffer.alloc(2 ** 20);
  for (let at = 0, state = 1; at < block.length; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    block.writeUInt32LE(state, at);
  }
  function* chunks(): Iterable<Uint8Array> {
    for (let left = count; left > 0; left -= block.length) yield block.subarray(0, left);
  }
  return {
    chunks: chunks(),
    digest() {
      const hash = createHash("sha256");
      for (const chunk of chunks()) hash.update(chunk);
      return hash.digest("hex");
    },
  };
}
