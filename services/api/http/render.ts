/** Values in the language that a client asks for. */
import { stringify } from "yaml";
import { sealedValue } from "../protobuf/messages.ts";
import { mediaTypes, negotiate } from "./accept.ts";
import type { Reply } from "./reply.ts";

type ValueReply = Extract<Reply, { type: "value" }>;
type BodyReply = Extract<Reply, { type: "body" }>;

/** What is sent of a value: what has no protobuf is JSON for who wants that. */
export function rendered(reply: ValueReply, accept: string | undefined): BodyReply {
  const { code, value, parameters = "", headers = {} } = reply;
  // What the value is seen as was agreed before; here the language alone is.
  const agreed = negotiate(accept?.replaceAll(/;\s*as=[^;,]*/g, ""), { as: [], protobuf: true });
  const language = agreed?.language ?? reply.language;
  if (language === "protobuf") {
    const body = sealedValue(value);
    if (body !== undefined) {
      const contentType = `${mediaTypes.protobuf}${parameters}`;
      return { type: "body", code, contentType, body, headers };
    }
  }
  const [contentType, body] =
    language === "yaml"
      ? [mediaTypes.yaml, yamlOf(value)]
      : [mediaTypes.json, JSON.stringify(value)];
  return { type: "body", code, contentType: `${contentType}${parameters}`, body, headers };
}

/** Members that are undefined are left out, as in JSON. */
export const yamlOf = (value: unknown): string =>
  stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });

/** The same JSON with line breaks and indents, for people: `?pretty=true`. */
export function prettied(reply: BodyReply): BodyReply {
  if (reply.contentType !== mediaTypes.json) return reply;
  const body = JSON.stringify(JSON.parse(String(reply.body)), undefined, 2);
  return { ...reply, body: `${body}\n` };
}
