import { expect, test } from "vitest";
import { admitStatus } from "../../libs/admission/admit.ts";
import { keyOf, loadKey } from "../../libs/cluster/key.ts";
import { settingsFromEnvironment } from "../../libs/cluster/settings.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import { seededRandom } from "../../libs/telemetry/seeded-random.ts";
import { claimOf } from "./claim.ts";
import { labelsIn } from "./turn.ts";
import { openWorld } from "./scheduler-world.ts";
import { termsAt } from "./terms.ts";
import { writesFor } from "./writes.ts";

test("what displaces more for a pod that is nominated already rests on that pod and on its node (B1)", async () => {
  await using world = await openWorld();
  await world.node("n1", { cpu: "1" });
  await world.pod("lesser", "1");
  await world.pod("better", "1");
  const why = "0/1 nodes are available";
  await world.change((context) => {
    const pod = context.view.get(podKind, "default", "better");
    const conditions = [{ type: "PodScheduled", status: "False" as const, message: why }];
    const status = { phase: "Pending" as const, conditions, nominatedNodeName: "n1" };
    return pod && admitStatus(podKind, pod, status, context);
  });
  const { view, clock } = world;
  const podOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }) =>
    view.get(podKind, namespace, name);
  const [lesser, better] = ["lesser", "better"].map((name) => {
    const pod = podOf({ namespace: "default", name });
    if (pod === undefined) throw new Error(`${name} is not there`);
    return claimOf(pod);
  });
  if (lesser === undefined || better === undefined) throw new Error("pods are missing");
  const { ops } = writesFor(
    {
      binds: [],
      grown: [],
      preemptions: [{ claim: better, why, node: "n1", victims: [lesser] }],
    },
    { podOf, choices: new Map(), terms: termsAt(view, labelsIn(view)) },
    {
      view,
      now: clock.now(),
      random: seededRandom(1),
      settings: settingsFromEnvironment.parse({}),
    },
  );
  expect(ops.map(({ key }) => key)).toEqual(
    expect.arrayContaining([
      keyOf(podKind, "default", "lesser"),
      keyOf(podKind, "default", "better"),
      loadKey("n1"),
    ]),
  );
});
