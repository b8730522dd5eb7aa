import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "../../libs/model/errors.ts";
import { configMap } from "../../libs/model/kinds/configmap.ts";
import { namespace } from "../../libs/model/kinds/namespace.ts";
import { kindsIn } from "../../libs/model/registry.ts";
import { behaviourOf } from "./behaviour.ts";
import { controllersIn } from "./controllers-in.ts";
import { aNamespace, countingRandom, settings, start } from "./fixtures.ts";
import { simulatedCluster } from "./simulated-cluster.ts";

const root = resolve(import.meta.dirname, "../..");
mkdirSync(join(root, ".berth"), { recursive: true });
const copy = mkdtempSync(join(root, ".berth/example-"));
afterAll(() => rmSync(copy, { recursive: true }));

/** Writes a code block of the page where the page says that it goes, below a folder of the test's. */
function writeExample(path: string, text: string): void {
  const home = dirname(join(root, path));
  const linked = text.replaceAll(/from "(\.[^"]+)"/g, (line, target: string) =>
    existsSync(resolve(home, target)) ? `from "${resolve(home, target)}"` : line,
  );
  mkdirSync(dirname(join(copy, path)), { recursive: true });
  writeFileSync(join(copy, path), linked);
}

test("the kind and the controller of docs/actors.md are one file each, and work", async () => {
  const page = readFileSync(join(root, "docs/actors.md"), "utf8");
  const blocks = [
    ...page.matchAll(/`((?:libs|services)\/[^`]+greeting\.ts)`[^`]*```ts\n([^]*?)```/g),
  ];
  expect(blocks).toHaveLength(2);
  for (const [, path = "", text = ""] of blocks) writeExample(path, text);
  const [greeting] = await kindsIn(join(copy, "libs/model/kinds"));
  const [controller] = await controllersIn(join(copy, "services/controllers/actors"));
  if (greeting === undefined || controller === undefined)
    throw new Error("an example was not found");

  const cluster = simulatedCluster();
  const nodes = { seen: () => undefined, judgeable: () => true };
  const events: string[] = [];
  const behaviour = behaviourOf(controller, {
    nodes,
    settings,
    random: countingRandom(),
    record: ({ reason }) => void events.push(reason),
    view: cluster.view,
  });
  cluster.put(namespace, aNamespace("default"));
  const metadata = { name: "first", namespace: "default", uid: "g1" };
  cluster.put(greeting, parse(greeting, { metadata, spec: { to: "world" } }));
  expect(cluster.settle([behaviour], () => start)).toBe(true);
  expect(cluster.view.get(configMap, "default", "first")?.data).toEqual({ text: "hello, world" });
  expect(cluster.view.get(greeting, "default", "first")).toMatchObject({
    status: { greeted: true },
  });

  const self = cluster.view.get(greeting, "default", "first") as object; // The Greeting from above.
  cluster.put(greeting, { ...self, spec: { to: "all" } });
  cluster.settle([behaviour], () => start);
  expect(cluster.view.get(configMap, "default", "first")?.data).toEqual({ text: "hello, all" });
});
