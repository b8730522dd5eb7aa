import { configMap } from "../../../libs/model/kinds/configmap.ts";
import { pod as podKind, type Pod } from "../../../libs/model/kinds/pod.ts";
import { secret } from "../../../libs/model/kinds/secret.ts";
import { configNamesOf } from "../../../libs/model/pod/config-refs.ts";
import { parseKey } from "../../../libs/cluster/key.ts";
import type {
  ConfigRef,
  NodeChanged,
  NodeConfig,
  NodeConfigRequest,
} from "../../../libs/protocol/node.ts";
import { nodeSubject } from "../../../libs/protocol/subjects.ts";
import type { SessionPorts } from "./sessions.ts";

/** A node gets the ConfigMaps and Secrets that its own pods name, and no others. */
export async function answerConfig(
  { replica, view }: SessionPorts,
  { node, applied, refs }: NodeConfigRequest,
): Promise<NodeConfig> {
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
  return { cut: view.revision, found, missing };
}

/** Tells nodes, without the content, that a ConfigMap or Secret that their pods name has changed. */
export function announceChanges({ bus, replica, view }: SessionPorts): Disposable {
  return replica.subscribe(({ changes, loaded }) => {
    if (loaded) return; // Each node asks for everything anew after a load.
    for (const { key, revision } of changes) {
      const { resource, namespace, name } = parseKey(key);
      const kind =
        resource === "configmaps" ? "ConfigMap" : resource === "secrets" ? "Secret" : undefined;
      if (kind === undefined || namespace === undefined) continue;
      const ref: ConfigRef = { kind, namespace, name };
      const told: NodeChanged = { ref, revision };
      for (const node of nodesNaming(view.list(podKind, { namespace }), ref)) {
        bus.publish(nodeSubject(node, "changed"), new TextEncoder().encode(JSON.stringify(told)));
      }
    }
  });
}

function nodesNaming(pods: readonly Pod[], ref: ConfigRef): ReadonlySet<string> {
  const wanted = textOf(ref);
  const naming = pods.filter((pod) => configRefsOf(pod).some((one) => textOf(one) === wanted));
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
