/** Direct messages to actors: `berth.actors.<kind>.<namespace>.<name>` (design §4). */
import { addressOf } from "../../libs/actor/behaviour.ts";
import type { Placement } from "../../libs/actor/placement.ts";
import type { Actors } from "../../libs/actor/runtime.ts";
import type { Bus } from "../../libs/bus/bus.ts";
import { actorOf, actorSubjects } from "../../libs/protocol/subjects.ts";

export type DirectMessagePorts = {
  readonly bus: Bus;
  readonly instance: string;
  readonly placement: Placement;
  /** The first parts of the addresses that there are. */
  readonly kinds: ReadonlySet<string>;
  readonly actors: Pick<Actors, "tell">;
};

/**
 * Every instance hears; the one on which the actor lives lets it turn, and answers
 * `{"instance": "<its name>"}`. A message says "look again" and nothing else, so its body is not
 * read, and one that is lost or doubled does no harm. Of an address that nobody knows there is no
 * answer.
 */
export async function serveDirectMessages(ports: DirectMessagePorts): Promise<AsyncDisposable> {
  const { bus, instance, placement, kinds, actors } = ports;
  return bus.serve(actorSubjects, async ({ subject }) => {
    const { kind, name } = actorOf(subject);
    if (!kinds.has(kind) || !placement.owns(addressOf(kind, name))) return undefined;
    actors.tell(kind, name);
    return new TextEncoder().encode(JSON.stringify({ instance }));
  });
}
