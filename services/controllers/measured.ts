/** Answers what is measured of the actors on every instance. */
import type { Actors } from "../../libs/actor/runtime.ts";
import { metricsSubject } from "../../libs/protocol/subjects.ts";
import { type AskAllPorts, serveAskAll } from "../../libs/cluster/ask-all.ts";

/**
 * Whichever instance is asked on `berth.controllers.metrics` asks all. The answer lists
 * `{"instance", "metrics"}`, the metrics in Prometheus' text format.
 */
export const serveMetrics = (
  ports: AskAllPorts,
  actors: Pick<Actors, "metrics">,
): Promise<AsyncDisposable> =>
  serveAskAll(ports, metricsSubject, async () => [{ metrics: await actors.metrics() }]);
