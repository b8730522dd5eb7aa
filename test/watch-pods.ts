/** Counts pods at every event of a kubectl watch. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import * as z from "zod";
import { ensureKubectl } from "../scripts/tools/tools.ts";
import { eventually, type TestCluster } from "./cluster.ts";
import { podCensus, type PodCensus, type Promised, seenPod } from "./pod-census.ts";

const event = z.object({ type: z.enum(["ADDED", "MODIFIED", "DELETED"]), object: seenPod });
const listed = z.object({ items: z.array(seenPod) });

export type PodWatch = AsyncDisposable &
  PodCensus & {
    /** Resolves when the watch has shown what a list shows; throws when it broke off. */
    caughtUp(): Promise<void>;
  };

/** Follows the pods that `selector` selects; resolves once those that are there have been seen. */
export async function watchPods(
  cluster: Pick<TestCluster, "kubectl" | "kubeconfig">,
  namespace: string,
  selector: string,
  promised: Promised,
): Promise<PodWatch> {
  const census = podCensus(promised);
  const held = new Map<string, string>();
  let failure: unknown;
  const get = ["-n", namespace, "get", "pods", "-l", selector, "-o", "json"];
  const watch = spawn(await ensureKubectl(), [...get, "--watch", "--output-watch-events"], {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(watch, "exit").then(() => {
    failure ??= new Error("the watch ended");
  });
  // One event a line.
  createInterface(watch.stdout).on("line", (line) => {
    try {
      const { type, object } = event.parse(JSON.parse(line));
      const { name, resourceVersion = "" } = object.metadata;
      if (type === "DELETED") held.delete(name);
      else held.set(name, resourceVersion);
      census.saw(name, type === "DELETED" ? undefined : object, Date.now());
    } catch (error) {
      failure ??= error;
    }
  });
  const caughtUp = () =>
    eventually("the watch has shown what is there", async () => {
      const { items } = listed.parse(JSON.parse(await cluster.kubectl(get)));
      const there = items.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
      const shown = [...held].map(([name, revision]) => `${name}@${revision}`);
      if (there.toSorted().join() !== shown.toSorted().join()) throw new Error("it lags");
    }).then(() => {
      if (failure !== undefined) throw new Error("the watch broke off", { cause: failure });
    });
  await caughtUp();
  return {
    ...census,
    caughtUp,
    async [Symbol.asyncDispose]() {
      watch.kill("SIGTERM");
      await ended;
    },
  };
}
