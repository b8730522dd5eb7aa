/** The bus in this process: for tests, and for running services in one process. */
import { createLog, type Log } from "../telemetry/log.ts";
import { type Clock, systemClock } from "../telemetry/clock.ts";
import type { Bus } from "./bus.ts";
import { busOn } from "./bus-on.ts";
import { listeners } from "./listeners.ts";
import type { Packet, PublishOptions, Wire } from "./wire.ts";

/** What connects the buses of one process. */
export type MemoryNetwork = {
  /** @returns a new connection's wire, and what takes it down and up again */
  connect(clock: Clock): Wire & { readonly setUp: (up: boolean) => void };
};

type Interest = {
  readonly pattern: readonly string[];
  readonly queue: string | undefined;
  readonly heard: (packet: Packet) => void;
  readonly up: () => boolean;
};

export type NetworkOptions = {
  /**
   * What becomes of a packet, asked for each: when it arrives, milliseconds from now. None: it is lost;
   * several: it is doubled; different ones: it overtakes, or is overtaken.
   */
  readonly fate?: (subject: string) => readonly number[];
};

const atOnce = [0];

export function memoryNetwork({ fate = () => atOnce }: NetworkOptions = {}): MemoryNetwork {
  const interests = new Set<Interest>();
  let connections = 0;
  let turn = 0;

  function deliver(subject: string, data: Uint8Array, options: PublishOptions): void {
    const heardBy = receivers(subject);
    const { reply, headers = {} } = options;
    for (const { heard } of heardBy) heard(packet(subject, data, reply, headers, false));
    if (heardBy.length > 0 || reply === undefined) return;
    for (const { heard } of receivers(reply))
      heard(packet(reply, new Uint8Array(), undefined, {}, true));
  }

  /** Everyone who hears `subject`, and one of each queue in turn. */
  function receivers(subject: string): readonly Interest[] {
    const tokens = subject.split(".");
    const all = [...interests].filter(({ pattern, up }) => up() && matches(pattern, tokens));
    const queues = new Map<string, Interest[]>();
    for (const interest of all) {
      if (interest.queue === undefined) continue;
      const members = queues.get(interest.queue) ?? [];
      queues.set(interest.queue, [...members, interest]);
    }
    turn += 1;
    const chosen = [...queues.values()].flatMap((members) => members[turn % members.length] ?? []);
    return [...all.filter(({ queue }) => queue === undefined), ...chosen];
  }

  return {
    connect(clock) {
      connections += 1;
      const own = new Set<Interest>();
      const back = listeners<[]>();
      let upSinceMs: number | undefined = clock.monotonicMs();
      const drop = (interest: Interest) => {
        own.delete(interest);
        interests.delete(interest);
      };
      return {
        inbox: `_INBOX.${connections}`,
        publish(subject, data, options = {}) {
          if (upSinceMs === undefined) return;
          const copy = data.slice();
          for (const delayMs of fate(subject)) {
            if (delayMs > 0) clock.after(delayMs, () => deliver(subject, copy, options));
            else queueMicrotask(() => deliver(subject, copy, options));
          }
        },
        subscribe(subject, queue, heard) {
          const up = () => upSinceMs !== undefined;
          const interest = { pattern: subject.split("."), queue, heard, up };
          own.add(interest);
          interests.add(interest);
          return { unsubscribe: async () => drop(interest) };
        },
        flush: async () => undefined,
        upSinceMs: () => upSinceMs,
        onUp: (listener) => back.add(listener),
        setUp(up) {
          upSinceMs = up ? clock.monotonicMs() : undefined;
          if (up) back.call();
        },
        async [Symbol.asyncDispose]() {
          for (const interest of own) drop(interest);
          upSinceMs = undefined;
        },
      };
    },
  };
}

/** A bus of its own, or one of several on a network. */
export function memoryBus({
  network = memoryNetwork(),
  clock = systemClock,
  log = createLog("bus", "silent"),
}: { readonly network?: MemoryNetwork; readonly clock?: Clock; readonly log?: Log } = {}): Bus {
  return busOn(network.connect(clock), { clock, log });
}

function matches(pattern: readonly string[], subject: readonly string[]): boolean {
  for (const [nth, token] of pattern.entries()) {
    if (token === ">") return subject.length > nth;
    if (nth >= subject.length || (token !== "*" && token !== subject[nth])) return false;
  }
  return pattern.length === subject.length;
}

function packet(
  subject: string,
  data: Uint8Array,
  reply: string | undefined,
  headers: Readonly<Record<string, string>>,
  nobody: boolean,
): Packet {
  const byName = new Map(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return { subject, data, reply, nobody, header: (name) => byName.get(name.toLowerCase()) };
}
