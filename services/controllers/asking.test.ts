/** Webhooks and policies on what controllers write: a Deployment's pods get their sidecars. */
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { alone } from "../../libs/actor/placement.ts";
import { runActors } from "../../libs/actor/runtime.ts";
import { admitCreate, admitDelete } from "../../libs/admission/admit.ts";
import type { AdmissionContext, Admitted } from "../../libs/admission/context.ts";
import { authorize } from "../../libs/identity/authorize.ts";
import { clusterOn } from "../../libs/cluster/open.ts";
import type { EventFacts } from "../../libs/cluster/record-event.ts";
import { deployment } from "../../libs/model/kinds/deployment.ts";
import { mutatingWebhookConfiguration } from "../../libs/model/kinds/mutatingwebhookconfiguration.ts";
import { namespace } from "../../libs/model/kinds/namespace.ts";
import { pod } from "../../libs/model/kinds/pod.ts";
import { replicaSet } from "../../libs/model/kinds/replicaset.ts";
import { validatingAdmissionPolicy } from "../../libs/model/kinds/validatingadmissionpolicy.ts";
import { validatingAdmissionPolicyBinding } from "../../libs/model/kinds/validatingadmissionpolicybinding.ts";
import { validatingWebhookConfiguration } from "../../libs/model/kinds/validatingwebhookconfiguration.ts";
import { memoryBucket } from "../../libs/store/memory-bucket.ts";
import { memoryStore } from "../../libs/store/memory.ts";
import { systemClock as clock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom as random } from "../../libs/telemetry/random.ts";
import { openAdmissionHooks } from "../../libs/webhooks/admission-hooks.ts";
import { WebhookCallFailed } from "../../libs/webhooks/call.ts";
import { behaviourOf } from "./behaviour.ts";
import { controllersIn } from "./controllers-in.ts";
import { settings } from "./fixtures.ts";

const log = createLog("test", "silent");
const controllers = await controllersIn(join(import.meta.dirname, "actors"));

type Request = {
  readonly uid: string;
  readonly operation: string;
  readonly name?: string;
  readonly userInfo: { readonly username: string };
  readonly object: { readonly spec: { readonly containers: readonly unknown[] } } | null;
};
type Answering = (request: Request, url: string) => Promise<object> | object;

const stacks: AsyncDisposableStack[] = [];
afterEach(async () => {
  for (const stack of stacks.splice(0)) await stack.disposeAsync();
});

/** One instance of the controllers on a store in memory; `answers` is every webhook. */
async function open(answers: Answering) {
  const stack = new AsyncDisposableStack();
  stacks.push(stack);
  const stop = new AbortController();
  const { signal } = stop;
  const bucket = memoryBucket({ clock });
  const member = async () =>
    stack.use(await clusterOn(memoryStore({ bucket }), settings, { clock, log, signal }));
  const [inside, outside] = [await member(), await member()];
  const asked: Request[] = [];
  const events: EventFacts[] = [];
  const hooks = stack.use(
    openAdmissionHooks({
      ...inside,
      authorize,
      kindOf: () => undefined,
      async call({ url = "" }, body) {
        const { request } = body as { request: Request }; // A review is sent, nothing else.
        asked.push(request);
        const response = { uid: request.uid, ...(await answers(request, url)) };
        return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response };
      },
      random,
      log,
    }),
  );
  const nodes = { seen: () => undefined, judgeable: () => true };
  const record = (facts: EventFacts) => void events.push(facts);
  const around = { nodes, settings, view: inside.view, random, record, hooks };
  const behaviours = controllers.map((one) => behaviourOf(one, around));
  const ports = { clock, random, log, signal, placement: alone };
  stack.use(runActors({ ...inside, behaviours, ...ports }));
  stack.defer(() => stop.abort());
  const { view, store, replica } = outside;
  const write = async (admit: (context: AdmissionContext) => Admitted<unknown> | undefined) => {
    for (;;) {
      const admitted = admit({ view, now: clock.now(), random, settings });
      const outcome = await store.commit(admitted?.ops ?? []);
      const revision = outcome.revision ?? (await store.lastRevision());
      await Promise.all([replica.caughtUp(revision), inside.replica.caughtUp(revision)]);
      if (outcome.ok) return;
    }
  };
  /** Resolves once the state is as it shall be. */
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      if (holds()) return resolve();
      const subscription = replica.subscribe(() => {
        if (!holds()) return;
        subscription[Symbol.dispose]();
        resolve();
      });
    });
  await until(() => view.get(namespace, undefined, "default") !== undefined);
  return { view, asked, events, write, until };
}

const rules = [
  { operations: ["CREATE", "DELETE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] },
];
const webhooks = (name: string) => [
  {
    name: "pods.example.com",
    clientConfig: { url: `https://nowhere.example/${name}` },
    rules,
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
  },
];
const mutating = { metadata: { name: "sidecars" }, webhooks: webhooks("sidecars") };
const validating = { metadata: { name: "judge" }, webhooks: webhooks("judge") };
const web = (replicas: number) => ({
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "web", image: "web:v1" }] },
    },
  },
});
const sidecar: Answering = ({ operation }, url) => {
  if (operation !== "CREATE" || !url.endsWith("/sidecars")) return { allowed: true };
  const value = { name: "proxy", image: "proxy:v1" };
  const patch = JSON.stringify([{ op: "add", path: "/spec/containers/-", value }]);
  return { allowed: true, patchType: "JSONPatch", patch: Buffer.from(patch).toString("base64") };
};

test("a Deployment's pods have what webhooks add, with its defaults, each asked about once", async () => {
  const { view, asked, write, until } = await open(sidecar);
  await write((context) => admitCreate(mutatingWebhookConfiguration, mutating, context));
  await write((context) => admitCreate(validatingWebhookConfiguration, validating, context));
  await write((context) => admitCreate(deployment, web(3), context));
  await until(() => view.list(pod).length === 3);
  for (const { spec } of view.list(pod)) {
    expect(spec.containers.map(({ name }) => name)).toEqual(["web", "proxy"]);
    expect(spec.containers[1]).toMatchObject({ terminationMessagePath: "/dev/termination-log" });
  }
  // Of those that mutate, then of those that validate, who see what the first made.
  const seen = (count: number) =>
    asked.filter(({ object }) => object?.spec.containers.length === count).length;
  expect([seen(1), seen(2), asked.length]).toEqual([3, 3, 6]);
  expect(new Set(asked.map(({ name }) => name)).size).toBe(3);
  expect(asked[0]?.userInfo.username).toBe("system:serviceaccount:kube-system:berth-controllers");
});

test("pods that a webhook denies are not made, and the set says why until it allows them", async () => {
  let denies = true;
  const { view, events, write, until } = await open(() =>
    denies ? { allowed: false, status: { message: "not today" } } : { allowed: true },
  );
  await write((context) => admitCreate(validatingWebhookConfiguration, validating, context));
  await write((context) => admitCreate(deployment, web(2), context));
  const said = () =>
    view.list(replicaSet).flatMap(({ status }) => status?.conditions ?? [])[0]?.message;
  await until(() => said() !== undefined);
  const message = 'admission webhook "pods.example.com" denied the request: not today';
  expect(said()).toBe(message);
  expect(view.list(pod)).toEqual([]);
  expect(events.map(({ reason, message: text }) => `${reason}: ${text}`)).toContain(
    `FailedCreate: Error creating: ${message}`,
  );
  denies = false;
  await until(() => view.list(pod).length === 2 && said() === undefined);
});

test("a webhook that cannot be asked keeps nobody else waiting", async () => {
  const gone = Promise.withResolvers<object>();
  const { view, write, until } = await open(({ name }) =>
    name?.startsWith("web") === true ? gone.promise : { allowed: true },
  );
  await write((context) => admitCreate(validatingWebhookConfiguration, validating, context));
  await write((context) => admitCreate(deployment, web(1), context));
  const other = { ...web(1), metadata: { name: "other", namespace: "default" } };
  await write((context) => admitCreate(deployment, other, context));
  await until(() => view.list(pod).length === 1);
  expect(view.list(pod)[0]?.metadata.name).toMatch(/^other-/);
  gone.reject(new WebhookCallFailed("it is gone"));
  await until(() => view.list(replicaSet).some(({ status }) => status?.conditions !== undefined));
});

test("a policy judges what controllers write, in the turn itself", async () => {
  const { view, asked, write, until } = await open(() => ({ allowed: true }));
  const validations = [
    { expression: "object.metadata.name.startsWith('good')", message: "bad name" },
  ];
  const policy = {
    metadata: { name: "p" },
    spec: { matchConstraints: { resourceRules: rules }, validations },
  };
  await write((context) => admitCreate(validatingAdmissionPolicy, policy, context));
  const spec = { policyName: "p", validationActions: ["Deny"] };
  await write((context) =>
    admitCreate(validatingAdmissionPolicyBinding, { metadata: { name: "b" }, spec }, context),
  );
  await write((context) => admitCreate(deployment, web(1), context));
  const good = { ...web(1), metadata: { name: "good", namespace: "default" } };
  await write((context) => admitCreate(deployment, good, context));
  const conditions = () => view.list(replicaSet).flatMap(({ status }) => status?.conditions ?? []);
  await until(() => view.list(pod).length === 1 && conditions().length === 1);
  expect(conditions()[0]?.message).toContain("denied request: bad name");
  await until(() => view.get(validatingAdmissionPolicy, undefined, "p")?.status !== undefined);
  const { status } = view.get(validatingAdmissionPolicy, undefined, "p") ?? expect.unreachable();
  expect(status).toEqual({ observedGeneration: 1, typeChecking: {} });
  expect(asked).toEqual([]);
});

test("a deletion that a webhook denies is tried again", async () => {
  let denies = true;
  const { view, asked, write, until } = await open(({ operation }) => ({
    allowed: operation !== "DELETE" || !denies,
  }));
  await write((context) => admitCreate(deployment, web(1), context));
  await until(() => view.list(pod).length === 1);
  await write((context) => admitCreate(validatingWebhookConfiguration, validating, context));
  await write((context) => {
    const found = view.get(deployment, "default", "web") ?? expect.unreachable();
    return admitDelete(deployment, found, {}, context);
  });
  await until(() => view.list(replicaSet).length === 0 || asked.length > 0);
  await expect.poll(() => asked.length).toBeGreaterThan(0);
  expect(view.list(pod)).toHaveLength(1);
  denies = false;
  await until(() => view.list(pod).length === 0);
});
