/**
 * A signal that aborts when this process is asked to end: SIGTERM, SIGINT, or, when
 * `BERTH_PARENT_PIPE` is set, the end of stdin, a pipe whose other end the supervisor holds (so a
 * `kill -9` of the supervisor ends the services too). Safe to receive any number of times.
 */
export function stopSignal(env: NodeJS.ProcessEnv = process.env): Disposable & {
  readonly signal: AbortSignal;
} {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  const piped = env["BERTH_PARENT_PIPE"] !== undefined;
  if (piped) {
    process.stdin.on("end", stop);
    process.stdin.on("error", stop);
    process.stdin.resume();
  }
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off("SIGTERM", stop);
      process.off("SIGINT", stop);
      if (piped) {
        process.stdin.off("end", stop);
        process.stdin.off("error", stop);
        process.stdin.destroy();
      }
    },
  };
}
