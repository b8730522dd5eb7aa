/** What it costs to delete a pod, in its owner's eyes: of two, the cheaper one goes first. */
import type { Cause } from "../errors.ts";

const annotation = "controller.kubernetes.io/pod-deletion-cost";
const field = `metadata.annotations[${annotation}]`;

type Annotated = {
  readonly annotations?: Readonly<Record<string, string>> | undefined;
};

/** 0 where the pod does not say it. */
export const deletionCostOf = ({ annotations }: Annotated): number =>
  costIn(annotations?.[annotation] ?? "0") ?? 0;

/**
 * A cost that is no 32-bit integer, as decimal digits without a plus or leading zeros.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost
 */
export function deletionCostCauses({ annotations }: Annotated): readonly Cause[] {
  const text = annotations?.[annotation];
  if (text === undefined || costIn(text) !== undefined) return [];
  const message = `Invalid value: ${JSON.stringify(text)}: must be a 32bit integer`;
  return [{ reason: "FieldValueInvalid", field, message }];
}

function costIn(text: string): number | undefined {
  if (!/^(0|[1-9]\d{0,9}|-\d{1,10})$/.test(text)) return undefined;
  const cost = Number(text);
  return cost >= -(2 ** 31) && cost < 2 ** 31 ? cost : undefined;
}
