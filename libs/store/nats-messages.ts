/** Entries and drafts as messages: every header that the store reads or writes is here. */
import { headers, type MsgHdrs } from "@nats-io/nats-core";
import { keyOfSubject } from "./key-subject.ts";
import { subjectOf } from "./key-subject.ts";
import type { Entry } from "./store.ts";
import type { Draft } from "./stream.ts";

const names = {
  tx: "Berth-Tx",
  previous: "Berth-Prev",
  cut: "Berth-Cut",
  operation: "KV-Operation",
  rollup: "Nats-Rollup",
  ttl: "Nats-TTL",
  expected: "Nats-Expected-Last-Subject-Sequence",
  expectedSubject: "Nats-Expected-Last-Subject-Sequence-Subject",
  batchId: "Nats-Batch-Id",
  batchSequence: "Nats-Batch-Sequence",
  batchCommit: "Nats-Batch-Commit",
  marker: "Nats-Marker-Reason",
} as const;

export type Batch = { readonly id: string; readonly sequence: number; readonly commit: boolean };

/** @param tombstoneSeconds how long a delete's marker stays (S6) */
export function headersOf(
  draft: Draft,
  bucket: string,
  tombstoneSeconds: number,
  batch: Batch | undefined,
): MsgHdrs {
  const { key, deleted, expect, tx, previous, cut } = draft;
  const all = headers();
  all.set(names.tx, `${tx.id}/${tx.index}/${tx.count}`);
  all.set(names.previous, String(previous));
  if (cut > 0) all.set(names.cut, String(cut));
  if (deleted) {
    // A rollup: it frees the key's revisions at once. A marker of another kind would uncover them
    // when it expires (S9).
    all.set(names.operation, "PURGE");
    all.set(names.rollup, "sub");
    all.set(names.ttl, `${tombstoneSeconds}s`);
  }
  if (expect !== undefined) {
    all.set(names.expected, String(expect.revision));
    if (expect.key !== key) all.set(names.expectedSubject, subjectOf(bucket, expect.key));
  }
  if (batch !== undefined) {
    all.set(names.batchId, batch.id);
    all.set(names.batchSequence, String(batch.sequence));
    if (batch.commit) all.set(names.batchCommit, "1");
  }
  return all;
}

export type Stored = {
  readonly subject: string;
  readonly headers: MsgHdrs | undefined;
  readonly data: Uint8Array;
  readonly revision: number;
  readonly storedAtMs: number;
};

export function entryOf(
  { subject, headers, data, revision, storedAtMs }: Stored,
  bucket: string,
): Entry {
  const [id = "", index = "1", count = "1"] = (headers?.get(names.tx) ?? "").split("/");
  const operation = headers?.get(names.operation) ?? "";
  const marker = headers?.get(names.marker) ?? "";
  return {
    key: keyOfSubject(bucket, subject),
    value: data,
    revision,
    deleted: operation === "DEL" || operation === "PURGE" || marker !== "",
    storedAtMs,
    tx: { id, index: Number(index), count: Number(count) },
    previous: Number(headers?.get(names.previous) ?? 0),
    cut: Number(headers?.get(names.cut) ?? 0),
  };
}
