import type { Mutant } from "../mutant.ts";

export const ofTheStore: readonly Mutant[] = [
  {
    rule: "S1",
    what: "a cut ends with any message, in the middle of a transaction",
    file: "libs/store/cuts.ts",
    from: "if (entry.tx.index >= entry.tx.count) close();",
    to: "if (entry.tx.index >= 1) close();",
  },
  {
    rule: "S2",
    what: "a turn leaves out the write of its own object, and names pods anew each time (O1)",
    file: "services/controllers/behaviour.ts",
    from: "const touched = touch ? touchOps(controller.kind, self, view) : own;",
    to: `const left = controller.kind.kind === "ReplicaSet" && children.length > 0;
  const touched = left ? [] : touch ? touchOps(controller.kind, self, view) : own;`,
    also: {
      file: "services/controllers/actors/workload/new-pods.ts",
      from: "const suffix = nameSuffix([uid, resourceVersion, nth], suffixLength);",
      to: "const suffix = nameSuffix([uid, performance.now(), nth], suffixLength);",
    },
  },
  {
    rule: "S4",
    what: "an unanswered transaction is taken for lost",
    file: "libs/store/settle.ts",
    from: "const committed = item.uncertain ? await committedAt(item, moved, stream, known) : undefined;",
    to: "const committed = item.transaction.bytes < 0 ? await committedAt(item, moved, stream, known) : undefined;",
  },
  {
    rule: "S5",
    what: "a read at any lag proves that an expectation is stale",
    file: "libs/store/settle.ts",
    from: "const now = await stream.last(op.key);",
    to: "const now = entry;",
  },
  {
    rule: "S6",
    what: "absence is no revision, over a tombstone too",
    file: "libs/store/known.ts",
    from: "return found?.deleted === true ? found.revision : 0;",
    to: "return found?.deleted === true ? 0 : 0;",
  },
  {
    rule: "S7",
    what: "a refusal is a lost race, although nothing is stale",
    file: "libs/store/settle.ts",
    from: "  if (moved === undefined) return item;",
    to: '  if (moved === undefined) return void item.done({ ok: false, conflict: transaction.writes[0]?.key ?? "" });',
  },
  {
    rule: "S9",
    what: "a delete does not say what it deletes",
    file: "libs/admission/transaction.ts",
    from: 'return { op: "delete", key, expect, last: encode(stored(before)) };',
    to: 'return { op: "delete", key, expect, last: encode({}) };',
  },
  {
    rule: "S10",
    what: "what follows from an object is written for its status too",
    file: "libs/admission/transaction.ts",
    from: ".filter(([key, value]) => !was.has(key) || !dequal(was.get(key), value))",
    to: ".filter(([key]) => is.has(key))",
  },
];
