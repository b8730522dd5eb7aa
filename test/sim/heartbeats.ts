/** When heartbeats reached the wire: who was heard, whatever anybody made of it. */
import { senderOf } from "../../libs/protocol/subjects.ts";
import type { Clock } from "../../libs/telemetry/clock.ts";

export type Heartbeats = {
  /** Notes a packet that arrives at those times from now. @returns them */
  note(subject: string, fate: readonly number[]): readonly number[];
  /** Milliseconds of the record's time. */
  readonly of: (sender: string) => readonly number[];
  /** It was heard every two and a half seconds for so long. */
  isSteady(sender: string, forMs: number): boolean;
};

const steadyMs = 2_500;

export function heartbeats(clock: Clock): Heartbeats {
  const times = new Map<string, number[]>();
  const of = (sender: string) => times.get(sender) ?? [];
  return {
    of,
    note(subject, fate) {
      if (fate.length > 0 && subject.startsWith("berth.ctl.") && subject.endsWith(".heartbeat")) {
        const sender = senderOf(subject);
        times.set(sender, [...of(sender), clock.now()]);
      }
      return fate;
    },
    isSteady(sender, forMs) {
      const from = clock.now() - forMs;
      const heard = of(sender);
      const recent = heard.filter((at) => at > from);
      const all = [heard.findLast((at) => at <= from) ?? 0, ...recent, clock.now()];
      return all.every((at, nth) => nth === 0 || at - (all[nth - 1] ?? 0) <= steadyMs);
    },
  };
}
