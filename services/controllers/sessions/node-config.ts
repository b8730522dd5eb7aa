import { configMap } from "../../../libs/model/kinds/configmap.ts";
import { persistentVolumeClaim } from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod as podKind, type Pod } from "../../../libs/model/kinds/pod.ts";
import { secret } from "../../../libs/model/kinds/secret.ts";
import { configNamesOf } from "../../../libs/model/pod/config-refs.ts";
import { parseKey, resourceOf } from "../../../libs/cluster/key.ts";
import type {
  ChangedRef,
  ConfigRef,
  NodeChanged,
  NodeConfig,
  NodeConfigRequest,
} from "../../../libs/protocol/node.ts";
import { nodeSubject } from "../../../libs/protocol/subjects.ts";
import { tokensFor } from "./node-tokens.ts";
import { claimedOn } from "./node-volumes.ts";
import type { SessionPorts } from "./sessions.ts";

/** A node gets the ConfigMaps, Secrets and claims that its own pods name, and no others. */
export async function answerConfig(
  ports: SessionPorts,
  { node, applied, refs, claims, tokens }: NodeConfigRequest,
): Promise<NodeConfig> {
  const { replica, view } = ports;
  await replica.caughtUp(applied); // N3
  const allowed = new Set(
    view.list(podKind, { node }).flatMap((pod) => configRefsOf(pod).map(textOf)),
  );
  const found: NodeConfig["found"] = [];
  const missing: NodeConfig["missing"] = [];
  for (const ref of refs) {
    const held = allowed.has(textOf(ref)) ? readConfig(view, ref) : undefined;
    if (held === undefined) missing.push(ref);
    else found.push({ ...ref, ...held });
  }
  const claimed = claims.map((claim) => claimedOn(view, node, claim));
  const granted = tokensFor(ports, node, tokens);
  return { cut: view.revision, found, missing, claims: claimed, tokens: [...granted] };
}

/** Tells nodes, without the content, that a ConfigMap, Secret or claim that their pods name has changed. */
export function announceChanges({ bus, replica, view }: SessionPorts): Disposable {
  return replica.subscribe(({ changes, loaded }) => {
    if (loaded) return; // Each node asks for everything anew after a load.
    for (const { key, revision } of changes) {
      const { resource, namespace, name } = parseKey(key);
      const kind = announced.get(resource);
      if (kind === undefined || namespace === undefined) continue;
      const ref: ChangedRef = { kind, namespace, name };
      const told: NodeChanged = { ref, revision };
      for (const node of nodesNaming(view, ref)) {
        bus.publish(nodeSubject(node, "changed"), new TextEncoder().encode(JSON.stringify(told)));
      }
    }
  });
}

const announced: ReadonlyMap<string, ChangedRef["kind"]> = new Map(
  ([configMap, secret, persistentVolumeClaim] as const).map((kind) => [
    resourceOf(kind),
    kind.kind as ChangedRef["kind"], // Those three.
  ]),
);

function nodesNaming(
  view: SessionPorts["view"],
  { kind, namespace, name }: ChangedRef,
): ReadonlySet<string> {
  const naming =
    kind === "PersistentVolumeClaim"
      ? view.list(podKind, { claim: `${namespace}/${name}` })
      : view
          .list(podKind, { namespace })
          .filter(({ spec }) =>
            configNamesOf(spec).some((one) => one.kind === kind && one.name === name),
          );
  return new Set(naming.flatMap(({ spec }) => spec.nodeName ?? []));
}

const configRefsOf = ({ metadata: { namespace }, spec }: Pod): readonly ConfigRef[] =>
  configNamesOf(spec).map(({ kind, name }) => ({ kind, namespace, name }));

function readConfig(
  view: SessionPorts["view"],
  { kind, namespace, name }: ConfigRef,
): { readonly revision: number; readonly data: Record<string, string> } | undefined {
  if (kind === "Secret") {
    const held = view.get(secret, namespace, name);
    return held && { revision: Number(held.metadata.resourceVersion), data: { ...held.data } };
  }
  const held = view.get(configMap, namespace, name);
  if (held === undefined) return undefined;
  const text = Object.entries(held.data ?? {}).map(
    ([key, value]) => [key, Buffer.from(value).toString("base64")] as const,
  );
  return {
    revision: Number(held.metadata.resourceVersion),
    data: { ...Object.fromEntries(text), ...held.binaryData },
  };
}

const textOf = ({ kind, namespace, name }: ConfigRef) => `${kind}/${namespace}/${name}`;
