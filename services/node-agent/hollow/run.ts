/** Many nodes without containers in one process, each with an agent like any other. */
import { readFile } from "node:fs/promises";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import type { Random } from "../../../libs/telemetry/random.ts";
import { hollowRuntime, type HollowRuntime } from "../runtime/hollow.ts";
import { sandboxName } from "../runtime/runtime.ts";
import type { HollowNode, HollowOptions } from "./options.ts";
import { isOff, linesIn, power } from "./outages.ts";

export type HollowPorts = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
};

const lookMs = 500;
const failure = "it was programmed to fail (--hollow-fail-percent)";

/**
 * Runs `runAgent` for each node, until `signal` aborts; again with an empty machine whenever the node was
 * off in between.
 *
 * @param offFile which nodes are off; there need be none
 */
export async function runHollowNodes(
  nodes: readonly HollowNode[],
  options: HollowOptions,
  runAgent: (node: HollowNode, runtime: HollowRuntime, signal: AbortSignal) => Promise<void>,
  { offFile, ...ports }: HollowPorts & { readonly offFile: string },
): Promise<void> {
  const { clock, random, log, signal } = ports;
  const all = nodes.map((node) => ({ node, power: power() }));
  const failStart = () => random.next() * 100 < options["hollow-fail-percent"];

  async function run({ node, power: own }: (typeof all)[number]): Promise<void> {
    while (!signal.aborted) {
      await own.untilOn();
      if (signal.aborted) return;
      await using runtime = hollowRuntime({
        clock,
        random,
        engineId: `hollow:${node.name}`,
        answersForPorts: true,
        startLatencyMs: options["hollow-start-ms"],
        stopLatencyMs: options["hollow-stop-ms"],
        failStart: ({ identity }) =>
          identity.container !== sandboxName && failStart() ? failure : undefined,
      });
      await runAgent(node, runtime, AbortSignal.any([signal, own.on]));
    }
  }

  async function look(): Promise<void> {
    let before = "";
    while (!signal.aborted) {
      const text = await readFile(offFile, "utf8").catch(() => "");
      if (text !== before) {
        const lines = linesIn(text);
        for (const one of all) one.power.turn(isOff(lines, one.node) ? "off" : "on");
        log.info({ off: all.filter((one) => !one.power.isOn()).length }, "hollow nodes are off");
        before = text;
      }
      await clock.sleep(lookMs, signal);
    }
    for (const one of all) one.power.turn("on"); // So that it ends.
  }
  await Promise.all([look(), ...all.map(run)]);
}
