/** What is measured of a gateway, in Prometheus' form, by Kubernetes' names where it has some. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, Registry } from "@prometheus-io/client";
import type { Asked } from "./asked.ts";

export type GatewayMetrics = Disposable & {
  /** A reply was sent, or was given up. */
  replied(asked: Asked, reply: { readonly code: number; readonly tookMs: number }): void;
  sent(bytes: number): void;
  told(asked: Asked, events: number): void;
  /** Refused because there is too much of it already. */
  refused(what: "read" | "write" | "stream"): void;
  /** Prometheus' text exposition format 0.0.4. */
  text(): Promise<string>;
};

/** What is measured when it is asked for. */
export type GatewayGauges = {
  readonly inFlight: () => Readonly<Record<"readOnly" | "mutating", number>>;
  readonly streams: () => number;
};

const labelNames = ["verb", "group", "version", "resource", "subresource"] as const;
/** From a list that is known by heart to a request that waited for its turn. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];
/** How often the loop is looked at. */
const lagResolutionMs = 20;

/** A registry of its own: two gateways in one process do not add up. */
export function gatewayMetrics({ inFlight, streams }: GatewayGauges): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: "apiserver_request_total",
    help: "Requests, by what they asked for and the code of their reply.",
    labelNames: [...labelNames, "code"],
    registers,
  });
  const durations = new Histogram({
    name: "apiserver_request_duration_seconds",
    help: "From a request's headers to the end of its reply; of a watch, to its beginning.",
    labelNames: [...labelNames],
    buckets,
    registers,
  });
  const running = new Gauge({
    name: "apiserver_current_inflight_requests",
    help: "Requests that are worked on now.",
    labelNames: ["request_kind"],
    registers,
  });
  const streaming = new Gauge({
    name: "apiserver_longrunning_requests",
    help: "Watches, logs and other replies without an end.",
    registers,
  });
  const events = new Counter({
    name: "apiserver_watch_events_total",
    help: "Events sent to watches.",
    labelNames: ["group", "version", "resource"],
    registers,
  });
  const bytes = new Counter({
    name: "berth_api_reply_bytes_total",
    help: "Bytes of replies, before TLS.",
    registers,
  });
  const refusals = new Counter({
    name: "apiserver_dropped_requests_total",
    help: "Requests refused with 429.",
    labelNames: ["request_kind"],
    registers,
  });
  const lag = new Gauge({
    name: "berth_api_event_loop_lag_seconds",
    help: "How late the process comes to what it has to do, since the last scrape.",
    labelNames: ["quantile"],
    registers,
  });
  const loop = monitorEventLoopDelay({ resolution: lagResolutionMs });
  loop.enable();
  return {
    replied({ ...labels }, { code, tookMs }) {
      requests.inc({ ...labels, code: String(code) });
      durations.observe(labels, tookMs / 1_000);
    },
    sent: (count) => bytes.inc(count),
    told: ({ group, version, resource }, count) => events.inc({ group, version, resource }, count),
    refused: (what) => refusals.inc({ request_kind: what }),
    text() {
      const { readOnly, mutating } = inFlight();
      running.set({ request_kind: "readOnly" }, readOnly);
      running.set({ request_kind: "mutating" }, mutating);
      streaming.set(streams());
      for (const quantile of [50, 99, 100]) {
        const late = loop.percentile(quantile) / 1e9 - lagResolutionMs / 1_000;
        lag.set({ quantile: String(quantile / 100) }, Number.isNaN(late) ? 0 : Math.max(0, late));
      }
      loop.reset();
      return registry.metrics();
    },
    [Symbol.dispose]: () => loop.disable(),
  };
}
