import { describe, expect, test } from "vitest";
import type { Waiting } from "./group-commit.ts";
import { knownRevisions } from "./known.ts";
import { isSafeToSend, lost } from "./settle.ts";
import type { Op } from "./store.ts";
import { transactionOf } from "./transaction.ts";

const value = new TextEncoder().encode("v");
const create: Op = { op: "put", key: "a", expect: "absent", value };
const deletion: Op = { op: "delete", key: "a", expect: "absent", last: value };
const replacement: Op = { op: "put", key: "a", expect: 7, value };

/** A transaction of which every commit comes after revision 41. */
const waiting = (op: Op, uncertain: boolean): Waiting => ({
  transaction: transactionOf([op], "tx", 0),
  deadlineMs: 0,
  signal: undefined,
  done: () => undefined,
  failed: () => undefined,
  base: 41,
  uncertain,
});

type Case = {
  readonly name: string;
  readonly op: Op;
  readonly uncertain: boolean;
  /** The revision of the key's marker, as known. */
  readonly marker: number | undefined;
  readonly safe: boolean;
};

describe("an attempt", () => {
  test.each<Case>([
    {
      name: "over a marker that may be an earlier attempt's own is not sent",
      op: deletion,
      uncertain: true,
      marker: 43,
      safe: false,
    },
    {
      name: "over a marker that may have come after an earlier attempt is not sent",
      op: create,
      uncertain: true,
      marker: 43,
      safe: false,
    },
    {
      name: "over an older marker is sent: an earlier one has moved it if it was committed",
      op: create,
      uncertain: true,
      marker: 40,
      safe: true,
    },
    {
      name: "over nothing is sent, for the same reason",
      op: create,
      uncertain: true,
      marker: undefined,
      safe: true,
    },
    {
      name: "over a revision is sent: none comes back",
      op: replacement,
      uncertain: true,
      marker: 43,
      safe: true,
    },
    {
      name: "that is the first is sent",
      op: create,
      uncertain: false,
      marker: 43,
      safe: true,
    },
  ])("$name (S4)", ({ op, uncertain, marker, safe }) => {
    const known = knownRevisions();
    if (marker !== undefined) known.learn({ key: "a", revision: marker, deleted: true });
    expect(isSafeToSend(waiting(op, uncertain), known)).toBe(safe);
  });
});

describe("what is told of a lost race", () => {
  const known = knownRevisions();
  known.learn({ key: "a", revision: 43, deleted: false });

  test("is the revision to wait for, when the cut was before it", () => {
    expect(lost(replacement, known, { cut: 42 })).toEqual({
      ok: false,
      conflict: "a",
      revision: 43,
    });
  });

  test("is none when the cut did not show it: it was purged, and waiting for it ends at once (S1)", () => {
    expect(lost(replacement, known, { cut: 43 })).toEqual({ ok: false, conflict: "a" });
    expect(lost(replacement, known, { cut: 50 })).toEqual({ ok: false, conflict: "a" });
  });
});
