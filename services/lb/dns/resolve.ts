/** A query to its answer: names of the cluster from the zone, all others from the machine's servers. */
import {
  type Answer,
  type DecodedPacket,
  decode,
  encode,
  type OptAnswer,
  type Packet,
} from "dns-packet";
import type { Forward } from "./forward.ts";
import type { DnsRecord, Found, Zone } from "./zone.ts";

export type Transport = "udp" | "tcp";
export type ResolveOptions = { readonly zone: () => Zone | undefined; readonly forward: Forward };

/** Seconds that an answer about the cluster may be kept. */
const ttl = 5;
const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4 } as const;
type Rcode = keyof typeof rcodes;
/** What a client without EDNS takes over UDP, and the most we send to one with it (RFC 9715). */
const [plainUdpMax, udpMax, tcpMax] = [512, 1_232, 65_535];
/** ExternalNames that lead to each other. */
const aliasesMax = 8;
const authoritative = 1 << 10;
const [truncated, recursionDesired, recursionAvailable] = [1 << 9, 1 << 8, 1 << 7];

/** The answer's bytes; undefined when `query` is no query at all, and nothing is to be said. */
export async function resolve(
  query: Uint8Array,
  transport: Transport,
  { zone, forward }: ResolveOptions,
): Promise<Uint8Array | undefined> {
  const packet = parse(query);
  if (packet === undefined) return malformed(query);
  if (packet.type !== "query") return undefined;
  const [question, ...more] = packet.questions ?? [];
  const here = zone();
  if ((((packet.flags ?? 0) >> 11) & 15) !== 0) return answer(packet, transport, "NOTIMP");
  if (question === undefined || more.length > 0) return answer(packet, transport, "FORMERR");
  if (here === undefined) return answer(packet, transport, "SERVFAIL"); // Not yet known what is ours.

  const found = here.find(question);
  if (found.kind !== "foreign") return fromZone(packet, transport, here, found, forward);
  const passed = await forward(query, transport);
  return passed ?? answer(packet, transport, "SERVFAIL");
}

async function fromZone(
  packet: DecodedPacket,
  transport: Transport,
  zone: Zone,
  first: Exclude<Found, { kind: "foreign" }>,
  forward: Forward,
): Promise<Uint8Array> {
  const question = packet.questions?.[0];
  const soa = soaOf(zone.domain);
  if (first.kind === "nothing")
    return answer(packet, transport, "NXDOMAIN", { authorities: [soa] });
  if (question?.type === "SOA" && question.name.toLowerCase() === zone.domain) {
    return answer(packet, transport, "NOERROR", { answers: [soa] });
  }
  const records: Answer[] = first.records.map((record) => toAnswer(record, question?.name));
  const extra = first.extra.map((record) => toAnswer(record, undefined));
  let alias = question?.type === "CNAME" ? undefined : aliasIn(first.records);
  for (let hops = 0; alias !== undefined; hops += 1) {
    if (hops === aliasesMax) return answer(packet, transport, "SERVFAIL");
    const target = alias;
    const next = zone.find({ name: target, type: question?.type ?? "A" });
    if (next.kind === "nothing") break;
    if (next.kind === "foreign") {
      records.push(...(await lookUp(target, packet, forward)));
      break;
    }
    records.push(...next.records.map((record) => toAnswer(record, undefined)));
    alias = aliasIn(next.records);
  }
  if (records.length === 0) return answer(packet, transport, "NOERROR", { authorities: [soa] });
  return answer(packet, transport, "NOERROR", { answers: records, additionals: extra });
}

const aliasIn = (records: readonly DnsRecord[]): string | undefined =>
  records.flatMap((record) => (record.type === "CNAME" ? record.data : []))[0];

/** What the machine's servers say of an ExternalName's target; musl does not follow aliases itself. */
async function lookUp(name: string, packet: DecodedPacket, forward: Forward): Promise<Answer[]> {
  const type = packet.questions?.[0]?.type ?? "A";
  const query = encode({
    type: "query",
    id: packet.id ?? 0,
    flags: recursionDesired,
    questions: [{ name, type, class: "IN" }],
  });
  const reply = await forward(query, "udp");
  return (reply === undefined ? undefined : parse(reply))?.answers ?? [];
}

function toAnswer(record: DnsRecord, asAsked: string | undefined): Answer {
  // A name is answered as it was asked, letter case too: some clients compare it.
  const asked = asAsked?.toLowerCase().replace(/\.$/, "") === record.name ? asAsked : record.name;
  return { ...record, name: asked ?? record.name, ttl, class: "IN" };
}

function soaOf(domain: string): Answer {
  return {
    type: "SOA",
    name: domain,
    class: "IN",
    ttl,
    data: {
      mname: `ns.dns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: 1,
      refresh: 7_200,
      retry: 1_800,
      expire: 86_400,
      minimum: ttl,
    },
  };
}

function answer(
  query: DecodedPacket,
  transport: Transport,
  rcode: Rcode,
  sections: Pick<Packet, "answers" | "authorities" | "additionals"> = {},
): Uint8Array {
  const edns = query.additionals?.find((record): record is OptAnswer => record.type === "OPT");
  const opt: OptAnswer[] =
    edns === undefined
      ? []
      : [
          {
            type: "OPT",
            name: ".",
            udpPayloadSize: udpMax,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ];
  const known = rcode === "NOERROR" || rcode === "NXDOMAIN";
  const flags =
    ((query.flags ?? 0) & recursionDesired) |
    recursionAvailable |
    (known ? authoritative : 0) |
    rcodes[rcode];
  const base: Packet = { type: "response", id: query.id ?? 0, questions: query.questions ?? [] };
  const whole = encode({
    ...base,
    flags,
    ...sections,
    additionals: [...(sections.additionals ?? []), ...opt],
  });
  const max =
    transport === "tcp"
      ? tcpMax
      : Math.min(udpMax, Math.max(plainUdpMax, edns?.udpPayloadSize ?? 0));
  if (whole.byteLength <= max) return whole;
  // As many answers as fit; over UDP the client asks again by TCP.
  const answers = sections.answers ?? [];
  for (let count = answers.length; count >= 0; count = count === 0 ? -1 : Math.floor(count / 2)) {
    const part = encode({
      ...base,
      flags: flags | (transport === "udp" || count < answers.length ? truncated : 0),
      answers: answers.slice(0, count),
      additionals: opt,
    });
    if (part.byteLength <= max) return part;
  }
  return encode({ ...base, flags: flags | truncated });
}

function parse(bytes: Uint8Array): DecodedPacket | undefined {
  try {
    return decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch {
    return undefined; // Malformed: the caller says what becomes of it.
  }
}

/** FORMERR to what has a query's header, silence to all else. */
function malformed(query: Uint8Array): Uint8Array | undefined {
  const [high, low, flags = 0] = query;
  if (query.byteLength < 12 || high === undefined || low === undefined || flags >= 0x80) {
    return undefined;
  }
  return encode({ type: "response", id: high * 256 + low, flags: rcodes.FORMERR });
}
