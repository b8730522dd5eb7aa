/** The images of the machine, as the Node object shows them: the scheduler weighs them. */
import type { NodeFacts } from "../../../libs/protocol/node.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { singleFlight } from "../../../libs/telemetry/single-flight.ts";
import type { ContainerRuntime, Image } from "../runtime/runtime.ts";

/** Kubelet's `nodeStatusMaxImages`. */
const imagesMax = 50;
/** Kubelet's, of one image. */
const namesMax = 5;
const lookEveryMs = 20_000;
/** They are long: some heartbeats after a look tell them, and who hears those keeps them. */
const tellForMs = 3_000;

type NodeImages = NonNullable<NodeFacts["images"]>;

/** The largest first, as a kubelet has them; those without a name are left out. */
export function shownImages(images: readonly Image[]): NodeImages {
  return images
    .filter(({ names }) => names.length > 0)
    .toSorted(
      (a, b) => b.sizeBytes - a.sizeBytes || ((a.names[0] ?? "") < (b.names[0] ?? "") ? -1 : 1),
    )
    .slice(0, imagesMax)
    .map(({ names, sizeBytes }) => ({ names: names.slice(0, namesMax), sizeBytes }));
}

export type ImageWatch = {
  /** For a heartbeat; a look that is due begins, and is not waited for. Undefined: as told before. */
  toTell(): NodeImages | undefined;
};

export function watchImages(
  runtime: Pick<ContainerRuntime, "images">,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): ImageWatch {
  let last: NodeImages | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let seenAtMs = Number.NEGATIVE_INFINITY;
  const looking = singleFlight((error) => log.debug({ err: error }, "images could not be listed"));
  return {
    toTell() {
      if (clock.monotonicMs() - lookedAtMs >= lookEveryMs) {
        lookedAtMs = clock.monotonicMs();
        looking.start(async () => {
          const images = await runtime.images();
          last = images && shownImages(images);
          seenAtMs = clock.monotonicMs();
        });
      }
      return clock.monotonicMs() - seenAtMs <= tellForMs ? last : undefined;
    },
  };
}
