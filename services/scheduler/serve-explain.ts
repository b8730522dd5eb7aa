/** Answers why pods are where they are, at a cut that is no older than whoever asks has seen. */
import type { Bus, Served } from "../../libs/bus/bus.ts";
import type { ClusterSettings } from "../../libs/cluster/settings.ts";
import type { ClusterView } from "../../libs/cluster/view.ts";
import { parse } from "../../libs/model/errors.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import {
  type ExplainReply,
  type ExplainRequest,
  explainRequest,
} from "../../libs/protocol/explain.ts";
import { explainSubject } from "../../libs/protocol/subjects.ts";
import type { Replica } from "../../libs/store/replica.ts";
import { budgetsAt } from "./budgets.ts";
import { explainPod } from "./decisions/explain.ts";
import { textOf } from "./decisions/explain-text.ts";
import type { Rooms } from "./rooms.ts";
import { askedBy, labelsIn } from "./turn.ts";

type Ports = {
  readonly view: ClusterView;
  readonly rooms: Rooms;
  readonly replica: Pick<Replica<unknown>, "caughtUp">;
  readonly settings: ClusterSettings;
};

/** Each looks at every node and every pod: so few at once. */
const concurrency = 4;
const caughtUpMs = 3_000;
/** Of about 700 bytes each: what is told stays below NATS' largest message (8 MB). */
const nodesMax = 5_000;

/** Any instance answers, until disposed. */
export const serveExplain = (bus: Bus, ports: Ports): Promise<Served> =>
  bus.serve(
    explainSubject,
    async ({ data }) => {
      const asked = explainRequest.parse(JSON.parse(new TextDecoder().decode(data)));
      await ports.replica.caughtUp(asked.revision, { timeoutMs: caughtUpMs });
      return new TextEncoder().encode(JSON.stringify(answer(asked, ports)));
    },
    { queue: "scheduler", concurrency },
  );

function answer({ namespace, name, pod: given }: ExplainRequest, ports: Ports): ExplainReply {
  const { view, rooms, settings } = ports;
  const pod = given === undefined ? view.get(podKind, namespace, name) : parse(podKind, given);
  if (pod === undefined) return {};
  const { rooms: all, nominated } = rooms.now();
  const explanation = explainPod(pod, askedBy(pod, view), {
    rooms: all,
    nominated,
    labelsOf: labelsIn(view),
    budgets: budgetsAt(view),
    settings: settings.scheduling,
  });
  const text = textOf(`${namespace}/${name}`, explanation);
  const omitted = explanation.nodes.length - nodesMax;
  if (omitted <= 0) return { explanation, text };
  const nodes = explanation.nodes.slice(0, nodesMax);
  return { explanation: { ...explanation, nodes, omitted }, text };
}
