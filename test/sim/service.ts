/** A service of the simulated cluster: a process, and the next one when that has ended. */
import type { Random } from "../../libs/telemetry/random.ts";
import { StoreUnavailable } from "../../libs/store/store.ts";
import { type Ground, type Process, type ProcessPorts, startProcess } from "./process.ts";

export type Service = {
  readonly name: string;
  kill(): void;
  stop(): Promise<void>;
  start(): void;
  connect(up: boolean): void;
  hold(still: boolean): void;
  isolate(alone: boolean): void;
  slowDown(forMs: number): void;
  stall(forMs: number): void;
  /** It runs, and nothing keeps it from the others, from now on. */
  mend(): void;
  /** It has run for a while, connected and awake. */
  isWell(): boolean;
};

type Surroundings = {
  readonly ground: Ground;
  readonly models: Random;
  readonly fail: (wrong: string) => void;
};

/** How long it takes before one that has ended is started again, at most. */
const restartMaxMs = 1_500;
/** An agent with the name of the first machine, on another one (N5). */
export const twin = "agent-twin";
const wellAfterMs = 8_000;
/** A control plane's clocks are kept in step; a node's is whatever it is. */
const aheadMaxMs = { ours: 400, node: 40_000 };

export function serviceOf(
  name: string,
  { ground, models, fail }: Surroundings,
  run: (ports: ProcessPorts) => Promise<void>,
): Service {
  const { clock } = ground;
  const isNode = name.startsWith("agent-") || name.startsWith("lb-");
  const most = isNode ? aheadMaxMs.node : aheadMaxMs.ours;
  const aheadMs = Math.round((models.next() - 0.5) * 2 * most);
  let current: Process | undefined;
  let wellSinceMs: number | undefined;
  const unwell = () => (wellSinceMs = undefined);
  const well = () => (wellSinceMs = clock.monotonicMs());

  function start(): void {
    if (current !== undefined) return;
    const own = startProcess(ground, { isTwin: name === twin, aheadMs, onEnd }, run);
    current = own;
    well();
    function onEnd(error: unknown): void {
      if (current !== own) return;
      current = undefined;
      unwell();
      if (error !== undefined && !(error instanceof StoreUnavailable)) {
        fail(`${name} failed: ${describe(error)}`);
      }
      clock.after(models.next() * restartMaxMs, start);
    }
  }

  return {
    name,
    start,
    kill() {
      current?.kill();
      current = undefined;
      unwell();
    },
    async stop() {
      const stopping = current;
      current = undefined;
      unwell();
      await stopping?.stop();
    },
    connect(up) {
      current?.connect(up);
      if (up) well();
      else unwell();
    },
    hold(still) {
      current?.hold(still);
      if (still) unwell();
      else well();
    },
    isolate: (alone) => current?.isolate(alone),
    slowDown: (forMs) => current?.slowDown(forMs),
    stall: (forMs) => current?.stall(forMs),
    mend() {
      start();
      current?.connect(true);
      current?.hold(false);
      current?.isolate(false);
      current?.slowDown(0);
      current?.stall(0);
    },
    isWell: () => wellSinceMs !== undefined && clock.monotonicMs() - wellSinceMs >= wellAfterMs,
  };
}

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
