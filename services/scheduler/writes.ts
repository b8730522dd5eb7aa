/** The transactions of a batch: what comes to count on a node, with all that it rests on. */
import { admitBind, admitUpdate } from "../../libs/admission/admit.ts";
import { admitGrowth } from "../../libs/admission/admit-growth.ts";
import { admitPreemptions } from "../../libs/admission/evict.ts";
import type { AdmissionContext } from "../../libs/admission/context.ts";
import { together, transactionOf, writeOfLoad } from "../../libs/admission/transaction.ts";
import { parseKey } from "../../libs/cluster/key.ts";
import type { ObjectOf } from "../../libs/model/kind.ts";
import { persistentVolume } from "../../libs/model/kinds/persistentvolume.ts";
import { persistentVolumeClaim } from "../../libs/model/kinds/persistentvolumeclaim.ts";
import { type Pod, pod as podKind } from "../../libs/model/kinds/pod.ts";
import { keptFor, selectedNode } from "../../libs/model/storage/binding.ts";
import type { Op } from "../../libs/store/store.ts";
import type { Claim } from "./claim.ts";
import type { Placed } from "./decisions/place.ts";
import type { Choice } from "./decisions/volumes.ts";
import { refuse } from "./refusals.ts";
import type { Bind, Preemption, Share } from "./shares.ts";
import type { Terms } from "./terms.ts";

/** A transaction holds at most 1,000 writes; a bind is two, and a node's load or a term's key one. */
const writesMax = 950;
const writesOfBind = 2;
const writesOfGrowth = 3;
/** Of a claim to storage, and its volume. */
const writesOfChoice = 2;
/** Of a pod that room is made for, and the node's load. */
const writesOfNomination = 2;
/** Of a pod that goes, its assignment and its budget. */
const writesOfVictim = 3;

type Choices = Placed["choices"];

export type Writes = Share & {
  readonly ops: readonly Op[];
  /** Addresses, for the next batch: the transaction is full. */
  readonly left: readonly string[];
};

/**
 * One transaction for all that comes to count on a node, or on nodes that a term or a budget concerns
 * together (B1, B2, O3).
 */
export function writesFor(
  share: Share,
  {
    podOf,
    choices,
    terms,
  }: {
    /** At the cut. */
    readonly podOf: (claim: Claim) => Pod | undefined;
    readonly choices: Choices;
    readonly terms: Terms;
  },
  context: AdmissionContext,
): Writes {
  const grown = share.grown.slice(0, writesMax / writesOfGrowth);
  const binds = fitting(share.binds, choices, grown.length * writesOfGrowth);
  const bound = binds.flatMap(({ claim, node }) => {
    const pod = podOf(claim);
    if (pod === undefined) return [];
    const storage = (choices.get(claim) ?? []).flatMap((one) => chooseAll(one, node, context));
    return [admitBind(podKind, pod, node, context).ops, ...storage];
  });
  const growths = grown.map((pod) => admitGrowth(pod, context).ops);
  const written = terms.writes(new Set(binds.flatMap((one) => one.terms)));
  const before = together([...bound, ...growths, written]);
  const isFull = binds.length < share.binds.length || grown.length < share.grown.length;
  const preemptions = isFull ? [] : affordable(share.preemptions, before.length);
  const preempted = preempt(preemptions, podOf, context);
  const ops = together([before, ...preempted]);
  return {
    ops: binds.length === 0 ? ops : [...carrying(ops), terms.guard],
    binds,
    grown,
    preemptions,
    left: [
      ...share.binds.slice(binds.length).map(({ claim }) => claim.address),
      ...share.grown.slice(grown.length).map(addressOf),
      ...share.preemptions.slice(preemptions.length).map(({ claim }) => claim.address),
    ],
  };
}

export const addressOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;

/** Who goes, with what budgets are charged for that, and for whom. */
function preempt(
  preemptions: readonly Preemption[],
  podOf: (claim: Claim) => Pod | undefined,
  context: AdmissionContext,
): readonly (readonly Op[])[] {
  const victims = preemptions.flatMap((one) => one.victims).flatMap((one) => podOf(one) ?? []);
  const told = preemptions.flatMap(({ claim, why, node, victims: going }) => {
    const pod = podOf(claim);
    if (pod === undefined) return [];
    const ops = refuse(pod, { why, node }, context)?.ops;
    if (going.length === 0) return ops === undefined ? [] : [ops];
    // Also where room was being made already, and more goes: that rests on the pod and on the node (B1).
    const unchanged = () => transactionOf(podKind, pod, pod, context.view);
    return [ops ?? unchanged(), [writeOfLoad(node, context.view)]];
  });
  return [...admitPreemptions(victims, context), ...told];
}

/**
 * A pod's assignment follows from the pod, whose expectation covers it: so the guard rides on the message of
 * the first of them.
 */
function carrying(ops: readonly Op[]): readonly Op[] {
  const carrier = ops.find(({ op, key }) => op === "put" && parseKey(key).resource === "assign");
  return ops.map((op) => (op === carrier ? { ...op, covered: true } : op));
}

/** As many of the first as one transaction holds: what was placed later may rest on them. */
function fitting(binds: readonly Bind[], choices: Choices, writesBefore: number): readonly Bind[] {
  let writes = writesBefore;
  const counted = new Set<string>();
  const end = binds.findIndex(({ claim, node, terms }) => {
    const also = [node, ...terms].filter((one) => !counted.has(one));
    for (const one of also) counted.add(one);
    writes += writesOfBind + also.length + writesOfChoice * (choices.get(claim) ?? []).length;
    return writes > writesMax;
  });
  return end < 0 ? binds : binds.slice(0, writesBefore > 0 ? end : Math.max(end, 1));
}

function affordable(
  preemptions: readonly Preemption[],
  writesBefore: number,
): readonly Preemption[] {
  let writes = writesBefore;
  const end = preemptions.findIndex(({ victims }) => {
    writes += writesOfNomination + writesOfVictim * victims.length;
    return writes > writesMax;
  });
  if (end < 0) return preemptions;
  return preemptions.slice(0, writesBefore > 0 ? end : Math.max(end, 1));
}

/**
 * What a claim gets that waited for its pod's node is written with the bind, and one that is exclusive
 * at any rate: another scheduler that chose otherwise, or took the volume, is refused (S2).
 */
function chooseAll(
  { claim, volume }: Choice,
  node: string,
  context: AdmissionContext,
): readonly (readonly Op[])[] {
  const annotations = { ...claim.metadata.annotations, [selectedNode]: node };
  const chosen = { ...claim, metadata: { ...claim.metadata, annotations } };
  return [
    written(persistentVolumeClaim, claim, chosen, context),
    ...(volume === undefined
      ? []
      : [written(persistentVolume, volume, keptFor(volume, claim), context)]),
  ];
}

/** Also where nothing changes: the bind rests on it. */
const written = <K extends typeof persistentVolume | typeof persistentVolumeClaim>(
  kind: K,
  before: ObjectOf<K>,
  after: ObjectOf<K>,
  context: AdmissionContext,
): readonly Op[] =>
  admitUpdate(kind, before, after, context)?.ops ??
  transactionOf(kind, before, before, context.view);
