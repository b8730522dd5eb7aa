import { expect, test } from "vitest";
import { claimed, type Claimant, type SetRecord } from "./set-claim.ts";

const message = (sequence: number, stream = "2026-01-01") =>
  ({ by: "message", stream, sequence }) as const;
const request: Claimant = { by: "request" };
const record = (sequence: number, by: SetRecord["by"] = "message"): SetRecord => ({
  stream: "2026-01-01",
  sequence,
  by,
});

test.each<[string, SetRecord | undefined, Claimant, ReturnType<typeof claimed>]>([
  ["the first message", undefined, message(7), record(7)],
  ["a newer one", record(7), message(9), record(9)],
  ["the same one again", record(7), message(7), "held"],
  ["an older one", record(7), message(6), "superseded"],
  ["a request", record(7), request, record(7, "request")],
  ["a request first of all", undefined, request, { stream: "", sequence: 0, by: "request" }],
  ["a request after a request", record(7, "request"), request, record(7, "request")],
  ["the message that a request came after", record(7, "request"), message(7), "superseded"],
  ["a message after a request", record(7, "request"), message(8), record(8)],
  [
    "the first message, after a request",
    { stream: "", sequence: 0, by: "request" },
    message(1),
    record(1),
  ],
  [
    "a message of a stream that was made anew",
    record(7),
    message(1, "2026-02-02"),
    message(1, "2026-02-02"),
  ],
  ["a message of a stream before it", record(7), message(9, "2025-02-02"), "superseded"],
])("%s", (_name, before, claimant, after) => {
  expect(claimed(before, claimant)).toEqual(after);
});
