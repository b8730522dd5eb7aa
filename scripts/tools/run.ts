import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  /** What it printed before it failed. */
  readonly stdout: string;

  constructor(message: string, stdout: string, options: ErrorOptions) {
    super(message, options);
    this.stdout = stdout;
  }
}

export type RunOptions = {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly timeoutMs?: number;
};

/**
 * Runs a command to its end and gives what it printed, at most 64 MiB.
 *
 * @throws {CommandFailed} when it cannot be started, exits with another code than 0, or takes
 *   longer than `timeoutMs` (default ten minutes)
 */
export function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { input, timeoutMs = 600_000, ...rest } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { ...rest, timeout: timeoutMs, maxBuffer: 64 * 2 ** 20 },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        const said = stderr.trim().split("\n").slice(-8).join("\n");
        const message = `${command} ${args.slice(0, 8).join(" ")}: ${said || error.message}`;
        reject(new CommandFailed(message, stdout, { cause: error }));
      },
    );
    child.stdin?.on("error", () => undefined); // It may end before it has read its input.
    child.stdin?.end(input);
  });
}

/** Where `command` is on PATH or in the system's folders, which a user's PATH may lack. */
export function which(command: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, command))
    .find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export const isRoot = process.getuid?.() === 0;
