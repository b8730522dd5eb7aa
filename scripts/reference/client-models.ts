/** The same facts by another hand: the models of Kubernetes' JavaScript client. */
import * as client from "@kubernetes/client-node";
import type { Facts } from "./facts.ts";

type Attribute = { readonly baseName: string; readonly type: string; readonly format: string };

const library = client as unknown as Readonly<
  Record<string, { readonly attributeTypeMap?: readonly Attribute[] } | undefined>
>; // Models are classes with that list.

/** Fields that one of the two does not know, or types otherwise. */
export function disagreements({ kinds, messages }: Facts): readonly string[] {
  const roots = new Set(Object.values(kinds));
  return Object.entries(messages).flatMap(([title, message]) => {
    const model = modelOf(title);
    if (model === undefined)
      return Object.keys(message).length === 0 ? [] : [`${title}: no such model`];
    const theirs = new Map(model.map((one) => [one.baseName, textOf(one)]));
    if (roots.has(title) || title === "meta.v1.DeleteOptions")
      for (const name of ["apiVersion", "kind"]) theirs.delete(name);
    const names = new Set([...Object.keys(message), ...theirs.keys()]);
    return [...names].flatMap((name) => {
      const ours = message[name]?.split(" ")[1];
      const other = theirs.get(name);
      return ours !== undefined && other !== undefined && spoken(ours) === other
        ? []
        : [`${title}.${name}: ${ours} here, ${other} there`];
    });
  });
}

function modelOf(title: string): readonly Attribute[] | undefined {
  const [group = "", version = "", name = ""] = title.split(".");
  const plain = `${capital(version)}${name}`;
  return (library[`${capital(group)}${plain}`] ?? library[plain])?.attributeTypeMap;
}

const capital = (text: string) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

const textOf = ({ type, format }: Attribute): string =>
  type
    .replaceAll(/(?:\w*?)V[12](\w+)/g, "$1")
    .replace(/^\{ \[key: string\]: (.+); \}$/, "$1{}")
    .replace(/Array<(.+)>/, "$1[]")
    .concat(format === "" || format === "int-or-string" ? "" : `:${format}`);

/** A type as the client's models write it: with the format of what it holds at the end. */
function spoken(type: string): string {
  const [, base = "", holders = ""] = /^(.*?)((?:\[\]|\{\})*)$/.exec(type) ?? [];
  if (base.includes("|") || base.endsWith("SubresourceStatus"))
    return holders === "{}" ? "any{}" : "any";
  const [word, format] = words[base] ?? [base.split(".").at(-1) ?? base];
  return `${word}${holders}${format === undefined ? "" : `:${format}`}`;
}

const words: Readonly<Record<string, readonly [string, string?]>> = {
  int32: ["number", "int32"],
  int64: ["number", "int64"],
  double: ["number", "double"],
  time: ["Date", "date-time"],
  "micro-time": ["MicroTime", "date-time-micro"],
  quantity: ["string"],
  "int-or-string": ["IntOrString"],
  byte: ["string", "byte"],
  "fields-v1": ["any"],
  json: ["any"],
};
