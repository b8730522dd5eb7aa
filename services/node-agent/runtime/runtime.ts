/**
 * Containers as an effect. `docker.ts` is the real one, `hollow.ts` has no containers and programmable
 * latency and failures; both pass `contract.ts`. A runtime sees only its own cluster's and node's
 * containers, and knows nothing of pods beyond the labels that they carry.
 */
import type { EpochMs } from "../../../libs/telemetry/clock.ts";

/** Who a container is; kept in its labels, so that an agent that restarts finds it again. */
export type Identity = {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  /** A container's name; `sandboxName` for the sandbox. */
  readonly container: string;
  /** How often the container was restarted before this one. */
  readonly attempt: number;
  /** Short runs in a row before this one: what the back-off counts. */
  readonly failures: number;
  readonly specHash: string;
  /** The pod's address; undefined on the host's network. */
  readonly address: string | undefined;
  /** `<protocol>/<port>/<address>` of the node that the whole pod takes up. */
  readonly hostPorts: readonly string[];
};

/** No container's name: those are DNS labels. */
export const sandboxName = "_sandbox";

/** What a container is given of its machine. */
export type Size = {
  readonly cpuShares: number;
  /** Microseconds of each 100 ms; 0: no limit. */
  readonly cpuQuota: number;
  /** At most; 0: no limit. */
  readonly memoryBytes: number;
  /** What is kept for it; nothing that an engine knows of. Undefined: it was not noted. */
  readonly memoryRequestBytes: number | undefined;
};

export type Observed = Identity & {
  readonly id: string;
  readonly size: Size;
  readonly state: "created" | "running" | "exited";
  readonly startedAt: EpochMs | undefined;
  readonly finishedAt: EpochMs | undefined;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  readonly image: string;
  readonly imageId: string;
  /** Of its first process on the host; 0 unless it runs. */
  readonly pid: number;
};

export type Mount = { readonly target: string; readonly readOnly: boolean } & (
  | { readonly kind: "bind"; readonly source: string }
  /** In memory, the pod's own by this name, as long as a running container mounts it; 0: no limit. */
  | { readonly kind: "memory"; readonly name: string; readonly sizeBytes: number }
);

export type ContainerSpec = {
  readonly identity: Identity;
  readonly image: string;
  readonly command: readonly string[] | undefined;
  readonly args: readonly string[] | undefined;
  readonly env: readonly string[];
  readonly workingDir: string | undefined;
  readonly mounts: readonly Mount[];
  readonly network:
    | { readonly mode: "pod"; readonly network: string; readonly address: string }
    | { readonly mode: "join"; readonly sandboxId: string }
    | { readonly mode: "host" };
  /** Whose processes it sees: its own, another running container's with its own, the machine's. */
  readonly processes:
    | { readonly mode: "own" | "host" }
    | { readonly mode: "join"; readonly id: string };
  readonly hostIpc: boolean;
  readonly hostname: string | undefined;
  readonly extraHosts: readonly string[];
  readonly ports: readonly {
    readonly containerPort: number;
    readonly protocol: string;
    readonly hostPort: number;
    readonly hostIP: string;
  }[];
  readonly size: Size;
  readonly oomScoreAdj: number;
  readonly user: string | undefined;
  readonly groups: readonly string[];
  readonly privileged: boolean;
  readonly readOnly: boolean;
  readonly noNewPrivileges: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
};

/** The image is not on the node and may not, or cannot, be brought here. */
export class ImageMissing extends Error {
  override readonly name = "ImageMissing";
}
/** The image's name cannot be read. */
export class InvalidImage extends Error {
  override readonly name = "InvalidImage";
}
/** The engine refused or failed. */
export class RuntimeFailure extends Error {
  override readonly name = "RuntimeFailure";
}

export type LogOptions = {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  readonly sinceMs: EpochMs | undefined;
  /** One of the two outputs alone; a terminal has stdout only. */
  readonly only?: Output["stream"] | undefined;
};
export type ExecOptions = {
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
};
export type Output = { readonly stream: "stdout" | "stderr"; readonly chunk: Uint8Array };

/**
 * A command that runs in a container, or the container's own process. Disposing of it ends a command
 * that still runs, with all that it has begun; of the container's own process it lets go.
 */
export interface Session extends AsyncDisposable {
  readonly output: AsyncIterable<Output>;
  write(chunk: Uint8Array): Promise<void>;
  endInput(): Promise<void>;
  resize(size: { readonly width: number; readonly height: number }): Promise<void>;
  /** When the command has ended; undefined when there is none to be had (attach, its container is gone). */
  exitCode(): Promise<number | undefined>;
}

/** What a running container has used. */
export type Used = {
  readonly id: string;
  /** CPU time since it began. */
  readonly cpuNanoseconds: number;
  /** The working set. */
  readonly memoryBytes: number;
  /** When it was read, monotonic. */
  readonly atMs: number;
};

/** An image on the machine. */
export type Image = {
  /** By digest and by tag. */
  readonly names: readonly string[];
  readonly sizeBytes: number;
};

export interface ContainerRuntime extends AsyncDisposable {
  /** As last observed: what runs of one pod, or of all. */
  containers(uid?: string): readonly Observed[];
  /** Calls `listener` with the uid of each pod of whose containers one has changed. */
  onChange(listener: (uid: string) => void): Disposable;
  /** Observes everything anew. @throws {RuntimeFailure} */
  refresh(): Promise<void>;
  hasImage(image: string): Promise<boolean>;
  /** Undefined: it has no images of its own. @throws {RuntimeFailure} */
  images(): Promise<readonly Image[] | undefined>;
  /** @throws {ImageMissing | InvalidImage | RuntimeFailure} */
  pull(image: string, signal: AbortSignal): Promise<void>;
  /** A container with the same identity is there already: that one. @throws {RuntimeFailure | ImageMissing} */
  create(spec: ContainerSpec): Promise<string>;
  /** The image of sandboxes, made when it is absent. */
  sandboxImage(): Promise<string>;
  start(id: string): Promise<void>;
  /** SIGTERM (or what its image asks for), SIGKILL after `graceMs`; resolves when it has ended. */
  stop(id: string, graceMs: number): Promise<void>;
  /** Gives a container that runs another size, in place. @throws {RuntimeFailure} */
  resize(id: string, size: Size): Promise<void>;
  /** Ends it at once if it runs; a container that is not there is as good. */
  remove(id: string): Promise<void>;
  /** Frees what a pod without containers had in memory. @throws {RuntimeFailure} */
  freeMemory(uid: string): Promise<void>;
  logs(id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<Uint8Array>;
  exec(id: string, options: ExecOptions, signal: AbortSignal): Promise<Session>;
  attach(id: string, options: Omit<ExecOptions, "command">, signal: AbortSignal): Promise<Session>;
  /** Of the containers that run; one of which nothing can be told now is left out (N1). */
  usage(): Promise<readonly Used[]>;
  /** Whatever is asked of a container's ports is answered well: nothing listens there, and nothing is asked. */
  readonly answersForPorts?: boolean;
  /** The engine, for the Node object. */
  engine(): Promise<{ readonly id: string; readonly version: string }>;
}
