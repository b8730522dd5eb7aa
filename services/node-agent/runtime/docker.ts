/** Containers of a Docker engine, through its API. */
import type { Readable } from "node:stream";
import type Docker from "dockerode";
import * as z from "zod";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { createOptions, sizeOptions } from "./create-options.ts";
import { attachTo, execIn } from "./docker-sessions.ts";
import { logsOf } from "./docker-logs.ts";
import { failure, reasonOf, statusCodeOf } from "./engine-error.ts";
import { clusterLabel, identityOf, memoryRequestIn, nodeLabel, uidLabel } from "./labels.ts";
import { ensurePauseImage } from "./pause-image.ts";
import { usageReader } from "./docker-usage.ts";
import { type ContainerRuntime, ImageMissing, InvalidImage, type Observed } from "./runtime.ts";

export type DockerOptions = {
  readonly docker: Docker;
  readonly cluster: string;
  readonly node: string;
  /** Where the machine's cgroups are; by default where the system has them. */
  readonly cgroupDir?: string;
  readonly clock: Clock;
  readonly log: Log;
};

/** How long to wait before listening to the engine's events again. */
const reconnectMs = 500;
/** Containers of which the order of observations is remembered. */
const askedMax = 5_000;

const engineEvent = z.object({
  Type: z.string(),
  Action: z.string(),
  id: z.string().optional(),
  Actor: z.object({ ID: z.string() }).optional(),
});
const interesting = ["start", "die", "destroy", "oom", "update"];

/** @throws {RuntimeFailure} when the engine cannot be reached */
export async function dockerRuntime(options: DockerOptions): Promise<ContainerRuntime> {
  const { docker, cluster, node, clock, log } = options;
  const owner = { [clusterLabel]: cluster, [nodeLabel]: node };
  const filters = { label: Object.entries(owner).map(([name, value]) => `${name}=${value}`) };
  const observed = new Map<string, Observed>();
  const listeners = new Set<(uid: string) => void>();
  const stop = new AbortController();

  const tell = (uid: string) => {
    for (const listener of listeners) listener(uid);
  };

  /** Answers overtake one another: one that was asked for earlier than what is held is dropped. */
  const asked = { last: 0, held: new Map<string, number>() };

  async function observe(id: string): Promise<void> {
    asked.last += 1;
    const nth = asked.last;
    let after: Observed | undefined;
    try {
      after = observedOf(await docker.getContainer(id).inspect());
    } catch (error) {
      if (statusCodeOf(error) !== 404) throw failure("the engine did not show a container", error);
    }
    if (nth < (asked.held.get(id) ?? 0)) return;
    asked.held.delete(id); // To the end: the oldest is dropped first.
    asked.held.set(id, nth);
    const [oldest] = asked.held.keys();
    if (asked.held.size > askedMax && oldest !== undefined) asked.held.delete(oldest);
    const before = observed.get(id);
    if (after === undefined) observed.delete(id);
    else observed.set(id, after);
    const uid = (after ?? before)?.uid;
    if (uid !== undefined) tell(uid);
  }

  async function refresh(): Promise<void> {
    try {
      const listed = await docker.listContainers({ all: true, filters });
      const ids = new Set(listed.map(({ Id }) => Id));
      for (const id of [...observed.keys()].filter((one) => !ids.has(one))) ids.add(id);
      await Promise.all([...ids].map(observe));
    } catch (error) {
      throw failure("the engine did not list its containers", error);
    }
  }

  async function listen(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        const events = await docker.getEvents({
          filters: { ...filters, type: ["container"], event: interesting },
          abortSignal: stop.signal,
        });
        await refresh(); // What happened while nobody listened.
        for await (const line of linesOf(events as Readable)) {
          const { data } = engineEvent.safeParse(JSON.parse(line));
          const id = data?.id ?? data?.Actor?.ID;
          if (id !== undefined) await observe(id);
        }
      } catch (error) {
        if (!stop.signal.aborted) log.warn({ err: error }, "the engine's events broke off");
      }
      await clock.sleep(reconnectMs, stop.signal);
    }
  }

  await refresh();
  const listening = listen();
  const roots = { proc: "/proc", cgroup: options.cgroupDir ?? "/sys/fs/cgroup" };
  const readUsage = usageReader(docker, clock, roots);

  async function act(what: string, run: () => Promise<unknown>, fine: readonly number[] = []) {
    try {
      await run();
    } catch (error) {
      const code = statusCodeOf(error);
      if (code === undefined || !fine.includes(code)) throw failure(what, error);
    }
  }

  return {
    containers: (uid) =>
      [...observed.values()].filter((one) => uid === undefined || one.uid === uid),
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    refresh,
    async hasImage(image) {
      try {
        await docker.getImage(image).inspect();
        return true;
      } catch (error) {
        if (statusCodeOf(error) === 404) return false;
        if (statusCodeOf(error) === 400) throw invalid(image, error);
        throw failure("the engine did not show an image", error);
      }
    },
    async images() {
      try {
        const listed = await docker.listImages();
        return listed.map(({ RepoDigests, RepoTags, Size }) => ({
          // One that another has taken the tag of is named so.
          names: [...(RepoDigests ?? []), ...(RepoTags ?? [])].filter(
            (name) => !name.includes("<none>"),
          ),
          sizeBytes: Size,
        }));
      } catch (error) {
        throw failure("the engine did not list its images", error);
      }
    },
    async pull(image, signal) {
      try {
        const progress = await docker.pull(image, { abortSignal: signal });
        await new Promise<void>((resolve, reject) => {
          docker.modem.followProgress(progress, (error: Error | null) =>
            error === null ? resolve() : reject(error),
          );
        });
      } catch (error) {
        if (statusCodeOf(error) === 400) throw invalid(image, error);
        throw new ImageMissing(reasonOf(error), { cause: error });
      }
    },
    async create(spec) {
      const wanted = createOptions(spec, cluster, owner);
      try {
        const made = await docker.createContainer(wanted);
        return made.id;
      } catch (error) {
        const code = statusCodeOf(error);
        if (code === 404 && /no such image/i.test(reasonOf(error))) {
          throw new ImageMissing(`image "${spec.image}" is not on the node`, { cause: error });
        }
        if (code !== 409) throw failure("the engine did not create a container", error);
        const { Id } = await docker.getContainer(wanted.name ?? "").inspect();
        return Id;
      }
    },
    sandboxImage: () => ensurePauseImage(docker),
    async start(id) {
      try {
        await act(
          "the engine did not start a container",
          () => docker.getContainer(id).start(),
          [304],
        );
      } finally {
        await observe(id);
      }
    },
    async stop(id, graceMs) {
      const seconds = Math.ceil(graceMs / 1_000);
      await act(
        "the engine did not stop a container",
        () => docker.getContainer(id).stop({ t: seconds }),
        [304, 404],
      );
      await observe(id);
    },
    async resize(id, size) {
      await act("the engine did not resize a container", () =>
        docker.getContainer(id).update(sizeOptions(size)),
      );
      await observe(id);
    },
    async remove(id) {
      await act(
        "the engine did not remove a container",
        () => docker.getContainer(id).remove({ force: true, v: true }),
        [404, 409], // 409: it is being removed already.
      );
      await observe(id);
    },
    async freeMemory(uid) {
      try {
        const label = [...filters.label, `${uidLabel}=${uid}`];
        const { Volumes } = await docker.listVolumes({ filters: { label } });
        await Promise.all(Volumes.map(({ Name }) => docker.getVolume(Name).remove()));
      } catch (error) {
        if (statusCodeOf(error) !== 404) throw failure("the engine did not free a volume", error);
      }
    },
    logs: (id, logOptions, signal) => logsOf(docker, id, logOptions, signal),
    exec: (id, execOptions, signal) => execIn({ docker, clock }, id, execOptions, signal),
    attach: (id, attachOptions, signal) => attachTo(docker, id, attachOptions, signal),
    usage: () => readUsage([...observed.values()].filter(({ state }) => state === "running")),
    async engine() {
      try {
        const { ID, ServerVersion } = (await docker.info()) as {
          ID: string;
          ServerVersion: string;
        }; // The API's GET /info.
        return { id: ID, version: `docker://${ServerVersion}` };
      } catch (error) {
        throw failure("the engine cannot be reached", error);
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await listening;
    },
  };
}

function observedOf(inspected: Docker.ContainerInspectInfo): Observed | undefined {
  const { Id, State, Config, Image, Created, HostConfig } = inspected;
  const identity = identityOf(Config.Labels);
  if (identity === undefined) return undefined;
  const began = timeOf(State.StartedAt);
  const state = State.Running
    ? "running"
    : began === undefined && State.ExitCode === 0
      ? "created"
      : "exited";
  return {
    ...identity,
    id: Id,
    state,
    startedAt: began,
    // One that could not be started has no time of its end.
    finishedAt: state === "exited" ? (timeOf(State.FinishedAt) ?? timeOf(Created)) : undefined,
    exitCode: State.ExitCode,
    oomKilled: State.OOMKilled,
    error: State.Error ?? "",
    image: Config.Image,
    imageId: Image,
    pid: State.Pid,
    size: {
      cpuShares: HostConfig.CpuShares ?? 0,
      cpuQuota: HostConfig.CpuQuota ?? 0,
      memoryBytes: HostConfig.Memory ?? 0,
      memoryRequestBytes: memoryRequestIn(Config.Labels),
    },
  };
}

/** The engine's zero time means never. */
function timeOf(text: string): number | undefined {
  const at = Date.parse(text);
  return Number.isNaN(at) || at <= 0 ? undefined : at;
}

async function* linesOf(source: Readable): AsyncIterable<string> {
  let rest = "";
  for await (const chunk of source.setEncoding("utf8")) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.filter((line) => line.trim() !== "");
  }
}

const invalid = (image: string, error: unknown) =>
  new InvalidImage(`Failed to apply default image tag "${image}": couldn't parse image name`, {
    cause: error,
  });
