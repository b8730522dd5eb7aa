/** Who is alive: each instance announces itself under a lease, the server announces its death. */

export type Member = {
  /** Unique among the living: the process's instance name and its boot. */
  readonly id: string;
  /** What it serves, such as `controllers` or `scheduler`. */
  readonly group: string;
};

export interface Memberships {
  /**
   * Announces `member` until `signal` aborts (then it is released at once), renewing within the
   * lease (1 s). Announces again after a reconnect.
   */
  announce(member: Member, signal: AbortSignal): Promise<void>;

  /**
   * The group's living members, sorted by id; calls `changed` after each change until `signal`
   * aborts. When the server loses its memory the last view is kept for one lifetime (W3).
   */
  follow(
    group: string,
    changed: (members: readonly Member[]) => void,
    signal: AbortSignal,
  ): Promise<void>;
}
