import { execFile } from "node:child_process";

/** Runs a program to its end and gives its stdout; throws when it cannot start, fails or hangs. */
export type RunCommand = (command: readonly string[], input?: string) => Promise<string>;

const timeoutMs = 20_000;

/** On this machine, for at most 20 s. */
export const runCommand: RunCommand = ([program = "", ...args], input) =>
  new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: timeoutMs }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
    child.stdin?.on("error", () => undefined); // It may end before it has read its input.
    child.stdin?.end(input);
  });
