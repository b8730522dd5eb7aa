import { describe, expect, test } from "vitest";
import { containerSpec } from "../pod/container-spec.ts";
import { parseWork } from "../pod/spec.ts";
import {
  type ContainerRuntime,
  type ContainerSpec,
  ImageMissing,
  RuntimeFailure,
} from "./runtime.ts";

export type RuntimeUnderTest = {
  readonly runtime: ContainerRuntime;
  readonly image: string;
  readonly missingImage: string;
};

/** What every ContainerRuntime must do. `open` gives one that may hold other pods' containers. */
export function runtimeContract(name: string, open: () => Promise<RuntimeUnderTest>): void {
  describe(`${name} keeps the ContainerRuntime contract`, () => {
    test("shows who a container is, and how it goes with it", async () => {
      const { runtime, image } = await open();
      const spec = aSpec("lives", image);
      const told: string[] = [];
      using _changes = runtime.onChange((uid) => told.push(uid));
      const id = await runtime.create(spec);
      await runtime.start(id);
      expect(runtime.containers("lives")).toMatchObject([
        { ...spec.identity, id, state: "running" },
      ]);
      await runtime.stop(id, 1_000);
      expect(runtime.containers("lives")).toMatchObject([{ id, state: "exited" }]);
      await runtime.remove(id);
      expect(runtime.containers("lives")).toEqual([]);
      expect(new Set(told)).toEqual(new Set(["lives"]));
    });

    test("tells what a container has used while it runs, and nothing of one that does not", async () => {
      const { runtime, image } = await open();
      const id = await runtime.create(aSpec("uses", image));
      const used = async () => (await runtime.usage()).filter((one) => one.id === id);
      expect(await used()).toEqual([]);
      await runtime.start(id);
      const [first] = await used();
      expect(first?.cpuNanoseconds).toBeGreaterThanOrEqual(0);
      expect(first?.memoryBytes).toBeGreaterThan(0);
      const [second] = await used();
      expect(second?.cpuNanoseconds).toBeGreaterThanOrEqual(first?.cpuNanoseconds ?? Infinity);
      await runtime.remove(id);
      expect(await used()).toEqual([]);
    });

    test("gives a container that runs another size, and shows it", async () => {
      const { runtime, image } = await open();
      const id = await runtime.create(aSpec("grows", image));
      await runtime.start(id);
      const size = {
        cpuShares: 512,
        cpuQuota: 50_000,
        memoryBytes: 2 ** 26,
        memoryRequestBytes: 0,
      };
      await runtime.resize(id, size);
      expect(runtime.containers("grows")).toMatchObject([{ id, state: "running", size }]);
      await runtime.resize(id, { ...size, memoryBytes: 2 ** 25 });
      expect(runtime.containers("grows")).toMatchObject([{ size: { memoryBytes: 2 ** 25 } }]);
      await runtime.remove(id);
      await expect(runtime.resize(id, size)).rejects.toThrow(RuntimeFailure);
    });

    test("makes a container once", async () => {
      const { runtime, image } = await open();
      const spec = aSpec("once", image);
      const id = await runtime.create(spec);
      expect(await runtime.create(spec)).toBe(id);
      await runtime.remove(id);
    });

    test("takes a container that is not there for removed, one that runs for started", async () => {
      const { runtime, image } = await open();
      const id = await runtime.create(aSpec("again", image));
      await runtime.start(id);
      await runtime.start(id);
      await runtime.remove(id);
      await runtime.remove(id);
      await runtime.stop(id, 0);
      expect(runtime.containers("again")).toEqual([]);
    });

    test("names an image that it does not have", async () => {
      const { runtime, image, missingImage } = await open();
      expect(await runtime.hasImage(image)).toBe(true);
      expect(await runtime.hasImage(missingImage)).toBe(false);
      const images = await runtime.images();
      if (images !== undefined) {
        const one = images.find(({ names }) => names.includes(image));
        expect(one?.sizeBytes).toBeGreaterThan(0);
      }
      await expect(runtime.create(aSpec("none", missingImage))).rejects.toThrow(ImageMissing);
    });

    test("still knows, when it begins anew, what there was", async () => {
      const { runtime, image } = await open();
      const id = await runtime.create(aSpec("found", image));
      await runtime.refresh();
      expect(runtime.containers("found")).toMatchObject([{ id, state: "created" }]);
      await runtime.remove(id);
    });
  });
}

/** On the host's network: a contract needs no other. */
function aSpec(uid: string, image: string): ContainerSpec {
  const container = { name: "main", image, command: ["sleep", "600"] };
  const work = parseWork({
    namespace: "default",
    name: uid,
    uid,
    labels: {},
    annotations: {},
    spec: { hostNetwork: true, containers: [container] },
  });
  const [main] = work.spec.containers;
  if (main === undefined) throw new Error("a pod has a container");
  const placed = { work, address: undefined, network: "", sandboxId: undefined };
  return containerSpec(
    main,
    { ...placed, attempt: 2, failures: 1, nodeMemoryBytes: 2 ** 30 },
    new Map(),
    [],
  );
}
