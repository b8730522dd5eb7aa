/** When heartbeats arrive: who was heard, whatever anybody made of it. */
import { senderOf } from "../../libs/protocol/subjects.ts";
import type { Clock } from "../../libs/telemetry/clock.ts";

export type Heartbeats = {
  /** Who says what is noted next; a second agent of a name does not count as that. */
  readonly speaks: (counts: boolean) => void;
  /** Notes a packet that arrives at those times from now. @returns them */
  note(subject: string, fate: readonly number[]): readonly number[];
  /** Milliseconds of the record's time. */
  readonly of: (sender: string) => readonly number[];
  /** With those of a second agent of the name. */
  readonly ofAny: (sender: string) => readonly number[];
  /** It was heard every two and a half seconds for so long. */
  isSteady(sender: string, forMs: number): boolean;
};

const steadyMs = 2_500;

export function heartbeats(clock: Clock): Heartbeats {
  const [own, any] = [new Map<string, number[]>(), new Map<string, number[]>()];
  const of = (sender: string) => own.get(sender) ?? [];
  const ofAny = (sender: string) => any.get(sender) ?? [];
  let counts = true;
  return {
    of,
    ofAny,
    speaks: (isCounted) => void (counts = isCounted),
    note(subject, fate) {
      if (fate.length > 0 && subject.startsWith("berth.ctl.") && subject.endsWith(".heartbeat")) {
        const sender = senderOf(subject);
        // Each time that it arrives, it is heard.
        const at = fate.map((ms) => clock.now() + ms);
        const sorted = (known: readonly number[]) => [...known, ...at].toSorted((a, b) => a - b);
        any.set(sender, sorted(ofAny(sender)));
        if (counts) own.set(sender, sorted(of(sender)));
      }
      return fate;
    },
    isSteady(sender, forMs) {
      const from = clock.now() - forMs;
      const heard = of(sender);
      const recent = heard.filter((at) => at > from && at <= clock.now());
      const all = [heard.findLast((at) => at <= from) ?? 0, ...recent, clock.now()];
      return all.every((at, nth) => nth === 0 || at - (all[nth - 1] ?? 0) <= steadyMs);
    },
  };
}
