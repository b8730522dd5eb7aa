/** A runtime without containers: one process can be many nodes, for benchmarks and simulation. */
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Random } from "../../../libs/telemetry/random.ts";
import {
  type ContainerRuntime,
  type ContainerSpec,
  ImageMissing,
  type Observed,
  type Output,
  RuntimeFailure,
  type Session,
  type Used,
} from "./runtime.ts";

export type HollowOptions = {
  readonly clock: Clock;
  readonly random: Random;
  /** By default one of its own. */
  readonly engineId?: string;
  readonly startLatencyMs?: number;
  readonly stopLatencyMs?: number;
  /** Images that cannot be had; all others are there. */
  readonly missingImages?: ReadonlySet<string>;
  /** Its message fails the start. */
  readonly failStart?: (spec: ContainerSpec) => string | undefined;
  /** Probes and hooks over the network succeed, though nobody listens. */
  readonly answersForPorts?: boolean;
  /** What a running container has used so far; by default nothing is known of any. */
  readonly used?: (container: Observed) => Omit<Used, "id" | "atMs"> | undefined;
};

export type HollowRuntime = ContainerRuntime & {
  /** Ends a container as its own process would. */
  exit(id: string, exitCode: number): void;
  readonly specs: ReadonlyMap<string, ContainerSpec>;
};

export function hollowRuntime(options: HollowOptions): HollowRuntime {
  const { clock, random, startLatencyMs = 0, stopLatencyMs = 0 } = options;
  const observed = new Map<string, Observed>();
  const specs = new Map<string, ContainerSpec>();
  const listeners = new Set<(uid: string) => void>();
  const engineId = options.engineId ?? random.uuid();

  function set(id: string, change: Partial<Observed>): void {
    const before = observed.get(id);
    if (before === undefined) return;
    observed.set(id, { ...before, ...change });
    tell(before.uid);
  }
  const tell = (uid: string) => {
    for (const listener of listeners) listener(uid);
  };
  const latency = async (ms: number) => {
    if (ms > 0) await clock.sleep(ms);
  };
  const exit = (id: string, exitCode: number) => {
    if (observed.get(id)?.state !== "running") return;
    set(id, { state: "exited", exitCode, finishedAt: clock.now(), pid: 0 });
  };

  return {
    specs,
    exit,
    answersForPorts: options.answersForPorts === true,
    containers: (uid) =>
      [...observed.values()].filter((one) => uid === undefined || one.uid === uid),
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    refresh: async () => undefined,
    hasImage: async (image) => options.missingImages?.has(image) !== true,
    images: async () => undefined,
    async pull(image) {
      if (options.missingImages?.has(image) === true) throw new ImageMissing("pull access denied");
    },
    async create(spec) {
      const { identity, image } = spec;
      if (options.missingImages?.has(image) === true) throw new ImageMissing(`no image ${image}`);
      const same = [...observed.values()].find(
        (one) =>
          one.uid === identity.uid &&
          one.container === identity.container &&
          one.attempt === identity.attempt,
      );
      if (same !== undefined) return same.id;
      const id = random.uuid().replaceAll("-", "");
      specs.set(id, spec);
      const made = {
        state: "created",
        startedAt: undefined,
        finishedAt: undefined,
        exitCode: 0,
      } as const;
      observed.set(id, {
        ...identity,
        ...made,
        id,
        oomKilled: false,
        error: "",
        image,
        imageId: `sha256:${image}`,
        pid: 0,
        size: spec.size,
      });
      return id;
    },
    sandboxImage: async () => "berth/pause:hollow",
    async start(id) {
      await latency(startLatencyMs);
      const spec = specs.get(id);
      if (spec === undefined) throw new RuntimeFailure("no such container");
      const error = options.failStart?.(spec);
      if (error === undefined) {
        if (observed.get(id)?.state === "created")
          set(id, { state: "running", startedAt: clock.now() });
        return;
      }
      set(id, { state: "exited", exitCode: 128, error, finishedAt: clock.now() });
      throw new RuntimeFailure(error);
    },
    async stop(id) {
      await latency(stopLatencyMs);
      exit(id, 143);
    },
    async resize(id, { cpuShares, cpuQuota, memoryBytes }) {
      const before = observed.get(id);
      if (before?.state !== "running") throw new RuntimeFailure("no such container");
      set(id, { size: { ...before.size, cpuShares, cpuQuota, memoryBytes } });
    },
    async remove(id) {
      const uid = observed.get(id)?.uid;
      observed.delete(id);
      specs.delete(id);
      if (uid !== undefined) tell(uid);
    },
    freeMemory: async () => undefined,
    logs: () => nothing(),
    exec: async () => quiet,
    attach: async () => quiet,
    usage: async () =>
      [...observed.values()].flatMap((one) => {
        const used = one.state === "running" ? options.used?.(one) : undefined;
        const atMs = clock.monotonicMs();
        return used === undefined ? [] : [{ id: one.id, ...used, atMs }];
      }),
    engine: async () => ({ id: engineId, version: "hollow://1" }),
    [Symbol.asyncDispose]: async () => listeners.clear(),
  };
}

async function* nothing<T>(): AsyncIterable<T> {}

/** A command that ends at once and well. */
const quiet: Session = {
  output: nothing<Output>(),
  write: async () => undefined,
  endInput: async () => undefined,
  resize: async () => undefined,
  exitCode: async () => 0,
  [Symbol.asyncDispose]: async () => undefined,
};
