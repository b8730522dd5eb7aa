/**
 * Values of JSON as Kubernetes' protobuf, led by the field numbers in their schema. A schema's writer
 * is made once, of closures; what is absent is not written, and what the schema does not know neither.
 */
import * as z from "zod";
import { unwrapped } from "../patch/list-schema.ts";
import { metaOf } from "./schema-meta.ts";
import { WireWriter } from "./wire-writer.ts";

type Schema = z.core.$ZodType;
/** Writes what a field holds, without its tag. */
type Put = (writer: WireWriter, value: never) => void;
type FieldPut = (writer: WireWriter, value: unknown) => void;
type Fields = ReadonlyMap<string, FieldPut>;
type Message = {
  fields: Fields;
  /** Messages of their own, which JSON inlines, by their tags. */
  inlined: readonly { readonly tag: number; readonly message: Message }[];
};

/** A schema holds something that has no number: its objects have no protobuf. */
export class NoProtobuf extends Error {
  override readonly name = "NoProtobuf";
}

const writer = new WireWriter();

/**
 * The message that a value is.
 *
 * @param value of a type that fits the schema; whether it is allowed is not asked
 * @throws {NoProtobuf}
 * @throws {RangeError} when a number has no form in it
 */
export function encodeMessage(schema: Schema, value: object): Uint8Array<ArrayBuffer> {
  const message = messageOf(schema);
  writer.clear();
  putMessage(message, writer, value);
  return writer.finish();
}

/** Whether values of the schema can be told in protobuf: whether every field has its number. */
export function hasProtobuf(schema: Schema): boolean {
  const known = able.get(schema);
  if (known !== undefined) return known;
  const is = tells(schema);
  able.set(schema, is);
  return is;
}

const able = new WeakMap<Schema, boolean>();

function tells(schema: Schema): boolean {
  try {
    return messageOf(schema).fields.size > 0;
  } catch (error) {
    if (error instanceof NoProtobuf) return false;
    throw error;
  }
}

const messages = new WeakMap<Schema, Message>();

function messageOf(schema: Schema): Message {
  const bare = unwrapped(schema);
  if (!(bare instanceof z.ZodObject)) throw new NoProtobuf("no message");
  const known = messages.get(bare);
  if (known !== undefined) return known;
  const message: Message = { fields: new Map(), inlined: [] };
  messages.set(bare, message); // It may hold itself.
  try {
    Object.assign(message, compiled(bare));
  } catch (error) {
    messages.delete(bare);
    throw error;
  }
  return message;
}

/** A field, and where it lies: of several numbers each but the last is a message. */
type Placed = {
  readonly name: string;
  readonly schema: Schema;
  readonly place: readonly number[];
};

function compiled(bare: z.ZodObject): Message {
  const shape = bare.shape as Record<string, Schema>; // As zod types it.
  const placed = Object.entries(shape).flatMap(([name, schema]): Placed[] => {
    const proto = metaOf(schema, "proto");
    if (typeof proto === "number") return [{ name, schema, place: [proto] }];
    if (Array.isArray(proto)) return [{ name, schema, place: proto as number[] }]; // As typed.
    if (name === "apiVersion" || name === "kind") return []; // Those are in the envelope.
    throw new NoProtobuf(`the field ${name} has no number`);
  });
  return arranged(placed);
}

function arranged(placed: readonly Placed[]): Message {
  const own = placed.filter(({ place }) => place.length === 1);
  const groups = Map.groupBy(
    placed.filter(({ place }) => place.length > 1),
    ({ place: [outer = 0] }) => outer,
  );
  return {
    fields: new Map(
      own.map(({ name, schema, place: [number = 0] }) => [name, fieldPut(schema, number)]),
    ),
    inlined: [...groups].map(([outer, group]) => ({
      tag: tagOf(outer, 2),
      message: arranged(group.map((one) => ({ ...one, place: one.place.slice(1) }))),
    })),
  };
}

function putMessage({ fields, inlined }: Message, writer: WireWriter, value: object): void {
  for (const { tag, message } of inlined) {
    const before = writer.size;
    putMessage(message, writer, value);
    if (writer.size === before) continue;
    writer.varint(writer.size - before);
    writer.varint(tag);
  }
  putFields(fields, writer, value);
}

function putFields(fields: Fields, writer: WireWriter, value: object): void {
  const members = value as Readonly<Record<string, unknown>>; // An object is one.
  for (const name in members) {
    const put = fields.get(name);
    if (put === undefined) continue;
    const member = members[name];
    if (member !== undefined && member !== null) put(writer, member);
  }
}

function fieldPut(schema: Schema, number: number): FieldPut {
  const bare = unwrapped(schema);
  const format = metaOf(schema, "format");
  if (bare instanceof z.ZodArray && format === undefined) return listPut(bare.element, number);
  if (bare instanceof z.ZodRecord && format === undefined) return mapPut(bare.valueType, number);
  return tagged(leafOf(schema), number);
}

const listPut = (element: Schema, number: number): FieldPut => {
  const put = tagged(leafOf(element), number);
  return (writer, value) => {
    const items = value as readonly unknown[]; // As the schema says.
    for (let nth = items.length - 1; nth >= 0; nth -= 1) put(writer, items[nth] ?? "");
  };
};

/** An entry is a message of its key and its value; keys are sorted, as Kubernetes writes them. */
function mapPut(valueType: Schema, number: number): FieldPut {
  const putKey = tagged(sized(textPut), 1);
  const list = unwrapped(valueType);
  // A list in a map is a message of its items.
  const items = list instanceof z.ZodArray ? listPut(list.element, 1) : undefined;
  const putValue = items === undefined ? tagged(leafOf(valueType), 2) : tagged(sized(items), 2);
  const tag = tagOf(number, 2);
  return (writer, value) => {
    const entries = value as Readonly<Record<string, unknown>>; // As the schema says.
    for (const key of Object.keys(entries).toSorted().toReversed()) {
      const before = writer.size;
      putValue(writer, entries[key] ?? "");
      putKey(writer, key);
      writer.varint(writer.size - before);
      writer.varint(tag);
    }
  };
}

type Leaf = { readonly wire: 0 | 1 | 2; readonly put: Put };
const tagOf = (number: number, wire: number): number => number * 8 + wire;

/** What writes a value with its tag before it. */
function tagged({ wire, put }: Leaf, number: number): FieldPut {
  const tag = tagOf(number, wire);
  return (writer, value) => {
    put(writer, value as never); // The schema chose the leaf.
    writer.varint(tag);
  };
}

/** A length before what `put` writes. */
const sized = (put: Put): Leaf => ({
  wire: 2,
  put(writer, value) {
    const before = writer.size;
    put(writer, value);
    writer.varint(writer.size - before);
  },
});

/** How one value is written that is neither a list nor a map. */
function leafOf(schema: Schema): Leaf {
  const format = metaOf(schema, "format");
  switch (format) {
    case "date-time":
    case "micro-time":
      return sized(timePut);
    case "quantity":
      return sized((writer, value: string | number) => textField(writer, 1, String(value)));
    case "int-or-string":
      return sized(intOrStringPut);
    case "duration":
      return sized((writer, value: string) =>
        numberField(writer, 1, Math.round(Number.parseFloat(value) * 1e9)),
      );
    case "byte":
      return sized((writer, value: string) => writer.bytes(Buffer.from(value, "base64")));
    case "json":
    case "fields-v1":
      return sized(rawPut);
    default:
  }
  const bare = unwrapped(schema);
  if (bare instanceof z.ZodObject) {
    const message = messageOf(bare);
    return sized((writer, value: object) => putMessage(message, writer, value));
  }
  if (bare instanceof z.ZodUnion) return sized(optionPut(bare));
  if (bare instanceof z.ZodUnknown || bare instanceof z.ZodAny) return sized(rawPut);
  if (bare instanceof z.ZodBoolean) {
    return { wire: 0, put: (writer, value: boolean) => writer.varint(value ? 1 : 0) };
  }
  if (isDouble(bare, format)) {
    return { wire: 1, put: (writer, value: number) => writer.double(value) };
  }
  if (bare instanceof z.ZodNumber) {
    return { wire: 0, put: (writer, value: number) => writer.varint(value) };
  }
  if (bare instanceof z.ZodArray || bare instanceof z.ZodRecord) {
    throw new NoProtobuf("a list of lists or of maps");
  }
  return sized(textPut);
}

/** A union is a message that holds one of its options, which are told apart by their JSON types. */
function optionPut(union: z.ZodUnion): Put {
  const options = union.options.map((option) => {
    const number = metaOf(option, "proto");
    if (typeof number !== "number") throw new NoProtobuf("an option has no number");
    return { type: typeOf(unwrapped(option)), put: fieldPut(option, number) };
  });
  return (writer, value: unknown) => {
    const type = Array.isArray(value) ? "array" : typeof value;
    options.find((option) => option.type === type)?.put(writer, value);
  };
}

function typeOf(bare: Schema | undefined): string {
  if (bare instanceof z.ZodArray) return "array";
  if (bare instanceof z.ZodBoolean) return "boolean";
  if (bare instanceof z.ZodNumber) return "number";
  return bare instanceof z.ZodObject || bare instanceof z.ZodRecord ? "object" : "string";
}

/** `z.number()` holds fractions, `z.int()` does not. */
const isDouble = (bare: Schema | undefined, format: unknown): boolean =>
  bare instanceof z.ZodNumber && (format === "double" || (format === undefined && !bare.isInt));

const textPut = (writer: WireWriter, value: unknown) =>
  writer.text(typeof value === "string" ? value : String(value));

/** RawExtension, FieldsV1 and JSON: a message of text in JSON. */
const rawPut = (writer: WireWriter, value: unknown) => textField(writer, 1, JSON.stringify(value));

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z$/;

/** Seconds and nanoseconds, both written even when they are 0. */
function timePut(writer: WireWriter, value: string): void {
  if (value === "") return; // No time.
  const fraction = rfc3339.exec(value)?.[7] ?? "";
  numberField(writer, 2, fraction === "" ? 0 : Number(fraction.padEnd(9, "0")));
  numberField(writer, 1, Math.floor(Date.parse(value) / 1_000));
}

function intOrStringPut(writer: WireWriter, value: number | string): void {
  const isText = typeof value === "string";
  textField(writer, 3, isText ? value : "");
  numberField(writer, 2, isText ? 0 : value);
  numberField(writer, 1, isText ? 1 : 0);
}

function textField(writer: WireWriter, number: number, value: string): void {
  const before = writer.size;
  writer.text(value);
  writer.varint(writer.size - before);
  writer.varint(tagOf(number, 2));
}

function numberField(writer: WireWriter, number: number, value: number): void {
  writer.varint(value);
  writer.varint(tagOf(number, 0));
}
