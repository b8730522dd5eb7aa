/** Objects and lists as a client wants to see them: whole, as metadata only, or as a Table. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { apiVersionOf, type Kind } from "../../../libs/model/kind.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import type { Language, View } from "../http/accept.ts";
import { longText, type LongText } from "../http/long-text.ts";
import { sealedValue } from "../protobuf/messages.ts";
import { protobufEvent, protobufList, protobufObject } from "../protobuf/shown.ts";
import { jsonOf, metadataJsonOf } from "./json.ts";
import { type IncludeObject, rowOf, tableHead } from "./table.ts";
import { asServed } from "./versions.ts";

export type Shown = {
  readonly kind: Kind;
  readonly view: View;
  readonly language: Language;
  readonly includeObject: IncludeObject;
  readonly now: EpochMs;
};

export type ListMeta = {
  readonly resourceVersion: string;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
};

/** JSON, also for who wants YAML, or protobuf. */
export type Encoded = string | Uint8Array;

/** One object. */
export function shownObject(given: AnyObject, shown: Shown): Encoded {
  const object = asServed(shown.kind, given);
  if (shown.language === "protobuf") return protobufObject(object, shown);
  return objectText(given, object, shown);
}

function objectText(given: AnyObject, object: AnyObject, shown: Shown): string {
  if (shown.view === "Table") {
    const { resourceVersion = "" } = object.metadata;
    return tableText([given], { resourceVersion }, shown);
  }
  return shown.view === "PartialObjectMetadata" ? metadataJsonOf(object) : jsonOf(object);
}

/** A list, of the objects' own remembered texts or bytes. */
export function shownList(
  objects: readonly AnyObject[],
  meta: ListMeta,
  shown: Shown,
): Encoded | LongText {
  if (shown.language === "protobuf") {
    return protobufList(
      objects.map((object) => asServed(shown.kind, object)),
      meta,
      shown,
    );
  }
  if (shown.view === "Table") return longText(...tableParts(objects, meta, shown));
  const partial = shown.view === "PartialObjectMetadata";
  const kind = partial ? "PartialObjectMetadataList" : `${shown.kind.kind}List`;
  const apiVersion = partial ? "meta.k8s.io/v1" : apiVersionOf(shown.kind);
  const items = objects.map((object) =>
    (partial ? metadataJsonOf : jsonOf)(asServed(shown.kind, object)),
  );
  const head = `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(meta)},"items":[`;
  return longText(head, items, "]}");
}

/** A watch event; a Table event holds one row, and the columns only where `head` asks for them. */
export function shownEvent(
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK",
  object: AnyObject,
  shown: Shown,
  { head }: { readonly head: boolean },
): Encoded {
  if (shown.language === "protobuf") {
    return protobufEvent(type, protobufObject(asServed(shown.kind, object), shown));
  }
  if (shown.view !== "Table") {
    return `{"type":"${type}","object":${objectText(object, asServed(shown.kind, object), shown)}}\n`;
  }
  const { resourceVersion = "" } = object.metadata;
  const text =
    type === "BOOKMARK"
      ? bookmarkTable(object, shown)
      : tableText([object], { resourceVersion }, shown, head);
  return `{"type":"${type}","object":${text}}\n`;
}

/** The event that ends a watch: why it cannot go on. */
export function shownError(status: object, { language }: Pick<Shown, "language">): Encoded {
  const sealed = language === "protobuf" ? sealedValue(status) : undefined;
  if (sealed !== undefined) return protobufEvent("ERROR", sealed);
  return `{"type":"ERROR","object":${JSON.stringify(status)}}\n`;
}

function bookmarkTable(object: AnyObject, shown: Shown): string {
  const cells = shown.kind.columns.map(() => "");
  const row = `{"cells":${JSON.stringify(cells)},"object":${metadataJsonOf(object)}}`;
  const meta = JSON.stringify({ resourceVersion: object.metadata.resourceVersion });
  return `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":${meta},"columnDefinitions":null,"rows":[${row}]}`;
}

function tableText(...table: Parameters<typeof tableParts>): string {
  const [head, rows, tail] = tableParts(...table);
  return `${head}${rows.join(",")}${tail}`;
}

function tableParts(
  objects: readonly AnyObject[],
  meta: ListMeta,
  { kind, includeObject, now }: Shown,
  head = true,
): readonly [head: string, rows: readonly string[], tail: string] {
  const columns = head ? tableHead(kind) : "null";
  return [
    `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":${JSON.stringify(meta)},"columnDefinitions":${columns},"rows":[`,
    objects.map((object) => rowOf(kind, asServed(kind, object), { includeObject, now })),
    "]}",
  ];
}
