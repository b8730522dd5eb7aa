/** What a set of pods shows when admission refuses the pods that it would make. */
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import { timeOf } from "../../../../libs/model/time.ts";
import { type Decision, type Refusal, warning } from "../../controller.ts";

const type = "ReplicaFailure";
type Condition = {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly lastTransitionTime?: string | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
};
type Status = { readonly conditions?: readonly Condition[] | undefined };

/** It is tried again after as long as it has failed already, within these bounds. */
const againMs = { first: 1_000, most: 30_000 };

/** A status that does not say that pods could not be made. */
export function withoutFailure<S extends Status>(status: S): S {
  if (!isRefused(status)) return status;
  const { conditions = [], ...rest } = status;
  const others = conditions.filter((one) => one.type !== type);
  return (others.length > 0 ? { ...rest, conditions: others } : rest) as S; // As it came, less one.
}

/** Whether pods could not be made when it was last looked at. */
export const isRefused = (status: Status | undefined): boolean =>
  status?.conditions?.some((one) => one.type === type) ?? false;

/**
 * A decision without the refused pods, as the reference has it: condition ReplicaFailure, an Event
 * FailedCreate, and another try later.
 */
export function refusedReplicas<C, S extends { readonly status?: Status | undefined }>(
  self: S,
  decision: Decision<C, S>,
  refusals: readonly Refusal[],
  { now }: { readonly now: EpochMs },
): Decision<C, S> {
  const [first] = refusals;
  if (first === undefined) return decision;
  const names = new Set(refusals.map(({ name }) => `Created pod: ${name}`));
  const was = self.status?.conditions?.find((one) => one.type === type);
  const since = was === undefined ? now : Date.parse(was.lastTransitionTime ?? timeOf(now));
  const condition = {
    type,
    status: "True",
    lastTransitionTime: was?.lastTransitionTime ?? timeOf(now),
    reason: "FailedCreate",
    message: withoutName(first),
  } as const;
  const again = againAt(since, now);
  const news =
    was?.message === condition.message
      ? []
      : [warning("FailedCreate", `Error creating: ${first.error.message}`)];
  const status: Status = decision.status ?? {};
  const others = (status.conditions ?? []).filter((one) => one.type !== type);
  return {
    ...decision,
    // A status of that kind, with a condition of its own.
    status: { ...status, conditions: [...others, condition] } as typeof decision.status,
    wakeAt: Math.min(decision.wakeAt ?? again, again),
    events: [...decision.events.filter(({ message }) => !names.has(message)), ...news],
  };
}

/** What an instance knows of refusals that go on: that is gone with it, and then they are news again. */
type Going = { readonly sinceMs: EpochMs; readonly lastMs: EpochMs; readonly message: string };
/** Beside what the controller itself remembers. */
type Memory = { readonly refused?: Going };

/**
 * A decision without the refused pods, for kinds that have no condition for it: what fits is made, an
 * Event FailedCreate tells of the rest, once, and it is tried again ever later.
 */
export function refusedSome<C extends object, S>(
  _self: S,
  decision: Decision<C, S>,
  refusals: readonly Refusal[],
  { now, remembered }: { readonly now: EpochMs; readonly remembered: unknown },
): Decision<C, S> {
  const [first] = refusals;
  if (first === undefined) return decision;
  const names = refusals.map(({ name }) => name);
  const message = withoutName(first);
  const known = (remembered as Memory | undefined)?.refused; // What is given to remember below.
  const was = known !== undefined && now - known.lastMs <= 2 * againMs.most ? known : undefined;
  const sinceMs = was?.sinceMs ?? now;
  const again = againAt(sinceMs, now);
  const going: Going = { sinceMs, lastMs: now, message };
  return {
    ...decision,
    wakeAt: Math.min(decision.wakeAt ?? again, again),
    events: [
      ...decision.events.filter(
        ({ message: told }) => !told.split(" ").some((word) => names.includes(word)),
      ),
      ...(was?.message === message
        ? []
        : [warning("FailedCreate", `Error creating: ${first.error.message}`)]),
    ],
    remember: { ...(decision.remember as object | undefined), refused: going } satisfies Memory,
  };
}

/** After as long as it has failed already, within bounds. */
const againAt = (since: EpochMs, now: EpochMs): EpochMs =>
  now + Math.min(Math.max(now - since, againMs.first), againMs.most);

/** The pods' names differ from try to try: the condition stays the same. */
const withoutName = ({ name, error }: Refusal) => error.message.replace(` "${name}"`, "");
