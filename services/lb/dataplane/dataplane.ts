import type { Plan } from "../routes/plan.ts";

/**
 * What carries the machine's traffic to Services. `nftables.ts` lets the kernel do it, `proxy.ts`
 * does it in this process; both pass `contract.ts`.
 */
export interface Dataplane extends AsyncDisposable {
  readonly name: "nftables" | "proxy";
  /**
   * Makes the machine do as `plan` says, all of it or nothing; connections that exist go on. Callers
   * wait for one call before they make the next.
   *
   * @throws {DataplaneFailed} when the machine refused; it still does as the last plan said
   */
  apply(plan: Plan): Promise<void>;
  /** Compares the machine with the last plan and restores it; false when nothing was to be done. */
  repair(): Promise<boolean>;
}

export class DataplaneFailed extends Error {
  override readonly name = "DataplaneFailed";
}
