import { execa } from "execa";

/** Runs a program to its end and gives its stdout; throws when it cannot start, fails or hangs. */
export type RunCommand = (command: readonly string[], input?: string) => Promise<string>;

/** On this machine, for at most 20 s. */
export const runCommand: RunCommand = async ([program = "", ...args], input) => {
  const { stdout } = await execa(program, args, {
    timeout: 20_000,
    ...(input === undefined ? { stdin: "ignore" } : { input }),
  });
  return stdout;
};
