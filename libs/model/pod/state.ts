/** Where a pod is in its life, as every service reads it from the object. */
import type { EpochMs } from "../time.ts";

type Phased = {
  readonly status?:
    | {
        readonly phase?: string | undefined;
        readonly conditions?:
          | readonly {
              readonly type: string;
              readonly status: string;
              readonly lastTransitionTime?: string | undefined;
            }[]
          | undefined;
      }
    | undefined;
};
type Deletable = Phased & {
  readonly metadata: { readonly deletionTimestamp?: string | undefined };
};

export const isTerminalPhase = (phase: unknown): phase is "Succeeded" | "Failed" =>
  phase === "Succeeded" || phase === "Failed";

/** It ended by itself; it never runs again (O2). */
export const isTerminal = ({ status }: Phased): boolean => isTerminalPhase(status?.phase);

/** It counts: nobody deleted it, and it has not ended. */
export const isLive = (pod: Deletable): boolean =>
  pod.metadata.deletionTimestamp === undefined && !isTerminal(pod);

/** Someone deleted it, and as far as is known it still runs. */
export const isTerminating = (pod: Deletable): boolean =>
  pod.metadata.deletionTimestamp !== undefined && !isTerminal(pod);

/** Since when the pod is ready; undefined while it is not. */
export function readySinceMs({ status }: Phased): EpochMs | undefined {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status !== "True") return undefined;
  return ready.lastTransitionTime === undefined ? 0 : Date.parse(ready.lastTransitionTime);
}
