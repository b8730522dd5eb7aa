/** Against a real server: what it says of consumers is the point. */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Bus } from "../../../libs/bus/bus.ts";
import { natsBus } from "../../../libs/bus/nats.ts";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { type NatsServers, startNats } from "../../../test/nats-server.ts";
import { jetStreamPending } from "./jetstream-pending.ts";

const ports = { clock: systemClock, random: systemRandom, log: createLog("test", "silent") };
const name = "nats.jetstream.consumer.pending";

let nats: NatsServers;
let client: NatsConnection;
let bus: Bus;
beforeAll(async () => {
  nats = await startNats();
  client = await connect({ servers: nats.url });
  bus = await natsBus({ url: nats.url, name: "test", ...ports });
  await api("STREAM.CREATE.WORK", { name: "WORK", subjects: ["work.>"] });
  const config = { durable_name: "worker", name: "worker", ack_policy: "explicit" };
  await api("CONSUMER.CREATE.WORK.worker", { stream_name: "WORK", config });
});
afterAll(async () => {
  await bus?.[Symbol.asyncDispose]();
  await client?.close();
  await nats?.[Symbol.asyncDispose]();
});

async function api(subject: string, body: object): Promise<void> {
  const answer = await client.request(`$JS.API.${subject}`, JSON.stringify(body));
  expect(answer.json()).not.toHaveProperty("error");
}

const metric = (matchLabels: Record<string, string>, called = name) => ({
  namespace: "default",
  name: called,
  selector: { matchLabels },
});
const worker = metric({ stream: "WORK", consumer: "worker" });

const open = (changed: (asker: string) => void = () => undefined) =>
  jetStreamPending({ bus, changed, signal: new AbortController().signal, ...ports });

describe("messages that a consumer has yet to see acknowledged", () => {
  test("are counted, delivered or not, and a change wakes who asks", async () => {
    const woken: string[] = [];
    await using values = open((asker) => woken.push(asker));
    const read = () => values.external(worker, "default/web");
    expect(read()).toEqual({ known: false, why: undefined }); // It has only been asked (N1).
    await vi.waitFor(() => expect(read()).toMatchObject({ known: true, milli: 0 }), 10_000);
    woken.length = 0;
    for (const body of ["a", "b", "c"]) client.publish("work.x", body);
    await vi.waitFor(() => expect(read()).toMatchObject({ milli: 3_000 }), 10_000);
    expect(woken).toContain("default/web");

    const subject = "$JS.API.CONSUMER.MSG.NEXT.WORK.worker";
    const next = await client.request(subject, "1", { noMux: true, timeout: 5_000 });
    await vi.waitFor(() => expect(read()).toMatchObject({ milli: 3_000, known: true }), 10_000);
    next.respond("+ACK");
    await vi.waitFor(() => expect(read()).toMatchObject({ milli: 2_000 }), 10_000);
  });

  test("of a consumer that is not there cannot be had, and it is said why", async () => {
    await using values = open();
    const read = () => values.external(metric({ stream: "WORK", consumer: "none" }), "default/web");
    await vi.waitFor(() => {
      expect(read()).toEqual({
        known: false,
        why: `unable to get external metric default/${name}: consumer not found`,
      });
    }, 10_000);
  });
});

test.each([
  ["no selector", { namespace: "default", name, selector: undefined }, "must name the labels"],
  ["a consumer alone", metric({ consumer: "worker" }), "must name the labels"],
  ["a wildcard", metric({ stream: "WORK", consumer: "*" }), "must name the labels"],
  ["several tokens", metric({ stream: "WORK", consumer: "a.b" }), "must name the labels"],
  [
    "a further label",
    metric({ stream: "WORK", consumer: "worker", x: "y" }),
    "must name the labels",
  ],
])("%s is refused with what is wrong", async (_name, asked, said) => {
  await using values = open();
  const reading = values.external(asked, "default/web");
  expect(reading).toMatchObject({ known: false });
  expect(reading.known ? "" : reading.why).toContain(said);
});
