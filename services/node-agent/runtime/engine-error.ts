import { RuntimeFailure } from "./runtime.ts";

/** The engine's HTTP code; undefined when it gave no answer. */
export const statusCodeOf = (error: unknown): number | undefined =>
  (error as { statusCode?: number } | undefined)?.statusCode; // dockerode's errors carry it.

/** What the engine says. */
export const reasonOf = (error: unknown): string => {
  const { json, message } = error as { json?: { message?: string }; message?: string }; // As above.
  return json?.message ?? message ?? "unknown";
};

export const failure = (what: string, error: unknown): RuntimeFailure =>
  error instanceof RuntimeFailure
    ? error
    : new RuntimeFailure(`${what}: ${reasonOf(error)}`, { cause: error });
