import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Claimed } from "../../../libs/protocol/node.ts";
import { withClaimed } from "./claimed-volumes.ts";
import { type PodFields, type ReadConfig, Unanswered } from "./environment.ts";
import { aWork } from "./fixtures.ts";
import { memoryMounts, mountsOf } from "./mounts.ts";
import { makeVolumes, refreshFiles, removeDirectories } from "./volumes.ts";

const bytes = (texts: Record<string, string>) =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text)]));
const reading =
  (held: Record<string, Record<string, string>>): ReadConfig =>
  (kind, name) => {
    const found = held[`${kind}/${name}`];
    return found && bytes(found);
  };
const nothing = reading({});

describe("a pod's volumes", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-volumes-"));
    onTestFinished(() => rm(folder, { recursive: true }));
  });

  const podWith = (volumes: object[], volumeMounts: object[] = [], more: object = {}) =>
    aWork({
      volumes,
      containers: [
        { name: "main", volumeMounts, resources: { limits: { cpu: "500m", memory: "64Mi" } } },
      ],
      ...more,
    });
  const fieldsOf = (work: PodFields["work"]): PodFields => ({
    work,
    node: "n1",
    hostAddress: "192.0.2.2",
    podAddress: "10.0.0.2",
    allocatable: {},
    apiAddress: "10.96.0.1",
    readToken: ({ audience, expirationSeconds }) =>
      audience === "none" ? undefined : `${audience} for ${expirationSeconds} s`,
  });
  const make = (work: PodFields["work"], read = nothing) =>
    makeVolumes(folder, fieldsOf(work), read);
  const within = (name: string, path: string) =>
    readFile(join(folder, "volumes", name, path), "utf8");
  const mountsIn = (work: PodFields["work"], env = new Map<string, string>()) => {
    const [main] = work.spec.containers;
    if (main === undefined) throw new Error("a pod has a container");
    return mountsOf(folder, main, work.spec.volumes, env);
  };

  test("gather a projected volume from all its sources", async () => {
    const downward = [
      { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
      {
        path: "cpu",
        mode: 0o400,
        resourceFieldRef: { containerName: "main", resource: "limits.cpu", divisor: "1m" },
      },
    ];
    const projected = {
      defaultMode: 0o440,
      sources: [
        { configMap: { name: "settings", items: [{ key: "color", path: "c/color" }] } },
        { secret: { name: "token", optional: true } },
        { downwardAPI: { items: downward } },
        { serviceAccountToken: { path: "token", expirationSeconds: 700, audience: "vault" } },
      ],
    };
    const read = reading({ "ConfigMap/settings": { color: "blue", other: "x" } });
    await make(podWith([{ name: "all", projected }]), read);
    expect(await within("all", "c/color")).toBe("blue");
    expect(await within("all", "labels")).toBe('app="web"');
    expect(await within("all", "cpu")).toBe("500");
    expect(await within("all", "token")).toBe("vault for 700 s");
    await expect(within("all", "other")).rejects.toThrow("ENOENT");
    const modeOf = async (path: string) =>
      (await stat(join(folder, "volumes/all", path))).mode & 0o777;
    expect([await modeOf("labels"), await modeOf("cpu")]).toEqual([0o440, 0o400]);
  });

  test("follow their sources, and keep what they had when a source goes", async () => {
    const work = podWith([{ name: "cfg", configMap: { name: "settings" } }]);
    await make(work, reading({ "ConfigMap/settings": { a: "1" } }));
    await refreshFiles(folder, fieldsOf(work), reading({ "ConfigMap/settings": { a: "2" } }));
    expect(await within("cfg", "a")).toBe("2");
    await refreshFiles(folder, fieldsOf(work), nothing);
    expect(await within("cfg", "a")).toBe("2");
  });

  test("are as they were where nobody says what they are made of", async () => {
    const work = podWith([{ name: "cfg", configMap: { name: "settings" } }]);
    const unanswered = () => {
      throw new Unanswered("nobody answers");
    };
    await expect(make(work, unanswered)).rejects.toThrow(Unanswered);
    await make(work, reading({ "ConfigMap/settings": { a: "1" } }));
    await make(work, unanswered);
    expect(await within("cfg", "a")).toBe("1");
  });

  test.each([
    [
      { projected: { sources: [{ serviceAccountToken: { audience: "none", path: "token" } }] } },
      "no token for its service account yet",
    ],
    [{ configMap: { name: "none" } }, 'configmap "none" not found'],
    [
      { secret: { secretName: "token", items: [{ key: "k", path: "k" }] } },
      'secret "token" has no key "k"',
    ],
    [{ hostPath: { path: "/bin/sh", type: "Directory" } }, "/bin/sh is not of type Directory"],
    [{ hostPath: { path: "/nowhere", type: "File" } }, "/nowhere is not of type File"],
    [{ nfs: { server: "s", path: "/" } }, "cannot serve a volume of its type"],
  ])("say why %o cannot be had", async (volume, reason) => {
    const making = make(podWith([{ name: "v", ...volume }]), reading({ "Secret/token": {} }));
    await expect(making).rejects.toThrow(/^MountVolume\.SetUp failed for volume "v" : /);
    await expect(making).rejects.toThrow(reason);
  });

  test("make what a hostPath says may be made", async () => {
    const paths = [join(folder, "host/dir"), join(folder, "host/file")];
    const [dir, file] = paths;
    await make(podWith([{ name: "d", hostPath: { path: dir, type: "DirectoryOrCreate" } }]));
    await make(podWith([{ name: "f", hostPath: { path: file, type: "FileOrCreate" } }]));
    const kinds = await Promise.all(paths.map(async (path) => (await stat(path)).isDirectory()));
    expect(kinds).toEqual([true, false]);
  });

  test("are an empty folder for all, or for the pod's group", async () => {
    await make(podWith([{ name: "open", emptyDir: {} }]));
    expect((await stat(join(folder, "volumes/open"))).mode & 0o7777).toBe(0o777);
    const securityContext = { fsGroup: 2_000 };
    await make(podWith([{ name: "owned", emptyDir: {} }], [], { securityContext }));
    const { gid, mode } = await stat(join(folder, "volumes/owned"));
    expect({ gid, mode: mode & 0o7777 }).toEqual({ gid: 2_000, mode: 0o2777 });
  });

  test("are mounted in part, by a path that may hold variables", async () => {
    const work = podWith(
      [{ name: "data", emptyDir: {} }],
      [{ name: "data", mountPath: "/data", subPathExpr: "$(POD)/logs" }],
    );
    await make(work);
    const source = join(folder, "volumes/data/web/logs");
    expect(await mountsIn(work, new Map([["POD", "web"]]))).toEqual([
      { kind: "bind", source, target: "/data", readOnly: false },
    ]);
    expect((await stat(source)).isDirectory()).toBe(true);
  });

  test("show one key of a ConfigMap as a file", async () => {
    const volumes = [{ name: "cfg", configMap: { name: "settings" } }];
    const work = podWith(volumes, [{ name: "cfg", mountPath: "/etc/app.conf", subPath: "app" }]);
    await make(work, reading({ "ConfigMap/settings": { app: "x" } }));
    const [mount] = await mountsIn(work);
    if (mount?.kind !== "bind") throw new Error("it is a bind");
    expect(await readFile(mount.source, "utf8")).toBe("x");
    expect(mount.readOnly).toBe(true);
    const other = podWith(volumes, [{ name: "cfg", mountPath: "/etc/x", subPath: "absent" }]);
    await expect(mountsIn(other)).rejects.toThrow("absent is not in its volume");
  });

  test("let no link that a container left lead out of them", async () => {
    const work = podWith(
      [{ name: "data", emptyDir: {} }],
      [{ name: "data", mountPath: "/data", subPath: "out/secrets" }],
    );
    await make(work);
    await mkdir(join(folder, "elsewhere/secrets"), { recursive: true });
    await writeFile(join(folder, "elsewhere/secrets/key"), "x");
    await symlink(join(folder, "elsewhere"), join(folder, "volumes/data/out"));
    await expect(mountsIn(work)).rejects.toThrow("leads out of its volume");
  });

  describe("that are claimed", () => {
    const claimed = (more: object = {}, mount: object = {}) =>
      podWith(
        [{ name: "data", persistentVolumeClaim: { claimName: "c", ...more } }],
        [{ name: "data", mountPath: "/data", ...mount }],
      );
    const answer = (volume: Partial<NonNullable<Claimed["volume"]>> = {}): Claimed => ({
      namespace: "default",
      name: "c",
      volume: { name: "v", path: join(folder, "disk"), type: "", makes: false, ...volume },
    });

    test.each([
      { name: "are written to", work: claimed(), readOnly: false },
      { name: "are read only for the pod", work: claimed({ readOnly: true }), readOnly: true },
      {
        name: "are read only for a container",
        work: claimed({}, { readOnly: true }),
        readOnly: true,
      },
      {
        name: "are mounted in part",
        work: claimed({}, { subPath: "a/b" }),
        readOnly: false,
        below: "a/b",
      },
      {
        name: "are mounted in a part that a variable names",
        work: claimed({}, { subPathExpr: "of-$(POD)" }),
        readOnly: false,
        below: "of-web",
      },
    ])("$name", async ({ work, readOnly, below = "" }) => {
      await mkdir(join(folder, "disk"));
      const resolved = await withClaimed(work, [answer()]);
      await make(resolved);
      const source = join(folder, "disk", below);
      expect(await mountsIn(resolved, new Map([["POD", "web"]]))).toEqual([
        { kind: "bind", source, target: "/data", readOnly },
      ]);
    });

    test("are made for every user when that is the agent's to do, and then left alone", async () => {
      const made = answer({ type: "DirectoryOrCreate", makes: true });
      await withClaimed(claimed(), [made]);
      const mode = async () => (await stat(join(folder, "disk"))).mode & 0o777;
      expect(await mode()).toBe(0o777);
      await chmod(join(folder, "disk"), 0o700);
      await withClaimed(claimed(), [made]);
      expect(await mode()).toBe(0o700);
    });

    test.each([
      [{ waits: "it is not bound" }, "it is not bound"],
      [undefined, "its claim is not known"],
    ])("wait for %o", async (waits, reason) => {
      const answers = waits === undefined ? [] : [{ namespace: "default", name: "c", ...waits }];
      await expect(withClaimed(claimed(), answers)).rejects.toThrow(
        `MountVolume.SetUp failed for volume "data" : ${reason}`,
      );
    });

    test("must be there when nobody makes them", async () => {
      const resolved = await withClaimed(claimed(), [answer({ type: "Directory" })]);
      await expect(make(resolved)).rejects.toThrow("is not of type Directory");
    });
  });

  test.each(["", ".", "..", "../pods", "a/b", "/etc"])(
    "%j is no directory of a volume that could be removed",
    async (name) => {
      await expect(removeDirectories(join(folder, "volumes"), [name])).rejects.toThrow(
        "is no volume's name",
      );
    },
  );

  test("lie in memory within their limit", async () => {
    const emptyDir = { medium: "Memory", sizeLimit: "64Mi" };
    const work = podWith([{ name: "fast", emptyDir }], [{ name: "fast", mountPath: "/fast" }]);
    await make(work);
    const kept = { kind: "memory", name: "fast", sizeBytes: 2 ** 26, readOnly: false };
    expect(await mountsIn(work)).toEqual([{ ...kept, target: "/fast" }]);
    expect(memoryMounts(work.spec.volumes)).toEqual([{ ...kept, target: "/memory/0" }]);
  });
});
