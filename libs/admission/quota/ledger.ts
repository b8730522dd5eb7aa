/**
 * Charges the quotas of a namespace for what a transaction adds: their status is written, with
 * expectation, in the transaction that it permits (O3). So no two writers exceed a quota together,
 * whoever they are and however far their cuts lag. What is given back is counted by the quota's own
 * actor, at a cut.
 */
import { parseKey, keyOf } from "../../cluster/key.ts";
import type { ClusterView } from "../../cluster/view.ts";
import type { ApiError } from "../../model/errors.ts";
import type { Pod } from "../../model/kinds/pod.ts";
import { resourceQuota, type ResourceQuota } from "../../model/kinds/resourcequota.ts";
import { compareQuantities, subtractQuantities } from "../../model/quantity.ts";
import type { Op } from "../../store/store.ts";
import { forbidden } from "../forbidden.ts";
import { transactionOf } from "../transaction.ts";
import { of } from "./counted.ts";
import { isInScope } from "./scope.ts";
import { type Counted, plusUsage, type Usage, usageOf } from "./usage.ts";

export type QuotaLedger = {
  /**
   * Notes what the ops of one write add to what is used.
   *
   * @throws {ApiError} Forbidden when a quota does not allow it: then nothing of it is noted
   */
  charge(ops: readonly Op[]): void;
  /** The writes of the quotas that were charged: they belong into the same transaction. */
  ops(): readonly Op[];
};

export function quotaLedger(view: ClusterView): QuotaLedger {
  const charged = new Map<string, { readonly quota: ResourceQuota; readonly used: Usage }>();

  function chargeOne(op: Op & { readonly op: "put" }): void {
    const { resource, namespace, name } = parseKey(op.key);
    if (namespace === undefined || derived.has(resource)) return;
    const quotas = view.list(resourceQuota, { namespace });
    if (quotas.length === 0) return; // Most namespaces: nothing more is paid for them.
    const counted = countedIn(resource, op.value);
    const held: unknown = view.raw.get(op.key)?.value;
    const next: (readonly [string, { readonly quota: ResourceQuota; readonly used: Usage }])[] = [];
    for (const quota of quotas) {
      if (!isInScope(quota, counted)) continue;
      const hard = quota.status?.hard ?? {};
      const names = Object.keys(quota.spec.hard ?? {});
      requireAsked(quota, counted, held === undefined, name);
      const key = keyOf(resourceQuota, namespace, quota.metadata.name);
      const used = charged.get(key)?.used ?? quota.status?.used ?? {};
      const before = held === undefined ? {} : of(names, usageOf({ ...counted, object: held }));
      const more = increase(before, of(names, usageOf(counted)));
      if (Object.keys(more).length === 0) continue;
      const unknown = Object.keys(more).filter((one) => hard[one] === undefined);
      if (unknown.length > 0) {
        const why = `status unknown for quota: ${quota.metadata.name}, resources: ${unknown.toSorted().join(",")}`;
        throw forbidden(counted, name, why);
      }
      const sum = plusUsage(used, more);
      const over = Object.keys(more).filter(
        (one) => compareQuantities(sum[one] ?? "0", hard[one] ?? "0") > 0,
      );
      if (over.length > 0) throw exceeded(quota, counted, { over, more, used, hard }, name);
      next.push([key, { quota, used: sum }]);
    }
    for (const [key, entry] of next) charged.set(key, entry);
  }

  return {
    charge(ops) {
      for (const op of ops) if (op.op === "put") chargeOne(op);
    },
    ops: () =>
      [...charged.values()].flatMap(({ quota, used }) =>
        transactionOf(resourceQuota, quota, { ...quota, status: { ...quota.status, used } }, view),
      ),
  };
}

/** `ops` and what they are charged. @throws {ApiError} Forbidden when a quota does not allow them */
export function chargedOps(ops: readonly Op[], view: ClusterView): readonly Op[] {
  const ledger = quotaLedger(view);
  ledger.charge(ops);
  return [...ops, ...ledger.ops()];
}

/** The object that a write makes. */
function countedIn(resource: string, value: Uint8Array): Counted {
  const [plural = "", ...group] = resource.split("/");
  const object: unknown = JSON.parse(new TextDecoder().decode(value));
  return { group: group.join("."), resource: plural, object };
}

/** What keys that hold no object begin with. */
const derived = new Set(["assign", "alloc", "load", "meta", "term", "terms"]);

/** What there is more of in `after`. */
function increase(before: Usage, after: Usage): Usage {
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, amount]) => [name, subtractQuantities(amount, before[name] ?? "0")] as const)
      .filter(([, amount]) => compareQuantities(amount, "0") > 0),
  );
}

/** A pod in a namespace that limits a resource says how much of it each container gets. */
function requireAsked(quota: ResourceQuota, counted: Counted, isNew: boolean, name: string): void {
  if (!isNew || counted.group !== "" || counted.resource !== "pods") return;
  const { spec } = counted.object as Pod; // It lies under a pod's key.
  const missing = new Map<string, string[]>();
  for (const { name: container, resources } of [
    ...spec.containers,
    ...(spec.initContainers ?? []),
  ]) {
    const has = (resource: string): boolean => {
      const [part, rest] = resource.startsWith("limits.")
        ? (["limits", resource.slice("limits.".length)] as const)
        : (["requests", resource.replace(/^requests\./, "")] as const);
      return resources?.[part]?.[rest] !== undefined;
    };
    for (const resource of Object.keys(quota.spec.hard ?? {}).filter((one) => asked.has(one))) {
      if (!has(resource)) missing.set(resource, [...(missing.get(resource) ?? []), container]);
    }
  }
  if (missing.size === 0) return;
  const list = [...missing]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([resource, containers]) => `${resource} for: ${containers.toSorted().join(",")}`);
  throw forbidden(
    counted,
    name,
    `failed quota: ${quota.metadata.name}: must specify ${list.join("; ")}`,
  );
}

const asked = new Set(
  ["cpu", "memory"].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
);

function exceeded(
  { metadata }: ResourceQuota,
  counted: Counted,
  sums: {
    readonly over: readonly string[];
    readonly more: Usage;
    readonly used: Usage;
    readonly hard: Usage;
  },
  name: string,
): ApiError {
  const told = (usage: Usage) =>
    sums.over
      .toSorted()
      .map((resource) => `${resource}=${usage[resource] ?? "0"}`)
      .join(",");
  const { more, used, hard } = sums;
  return forbidden(
    counted,
    name,
    `exceeded quota: ${metadata.name}, requested: ${told(more)}, used: ${told(used)}, limited: ${told(hard)}`,
  );
}
