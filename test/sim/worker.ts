/** A thread of the crew: runs the schedules that it is sent, one at a time. */
import { parentPort } from "node:worker_threads";
import { type RunOptions, runSchedule } from "./run.ts";

parentPort?.on("message", (options: RunOptions) => {
  runSchedule(options).then(
    (result) => parentPort?.postMessage(result, []),
    (error: unknown) => {
      throw new Error(`schedule ${options.seed} could not be run`, { cause: error });
    },
  );
});
