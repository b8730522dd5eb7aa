/** Addresses as numbers. Kubernetes takes neither zones nor IPv4 inside of IPv6. */
import { isIPv4, isIPv6 } from "node:net";

export type Address = { readonly family: 4 | 6; readonly bits: bigint };
export type Network = { readonly address: Address; readonly prefix: number };

export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, bits: joined(text.split(".").map(Number), 8n) };
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const bits = parseIpv6(text);
  return bits >> 32n === 0xffffn ? undefined : { family: 6, bits };
}

export function parseNetwork(text: string): Network | undefined {
  const [host = "", prefix = "", ...more] = text.split("/");
  const address = parseAddress(host);
  if (address === undefined || more.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(prefix))
    return undefined;
  const length = Number(prefix);
  return length > (address.family === 4 ? 32 : 128) ? undefined : { address, prefix: length };
}

/** The one way in which RFC 5952 writes it. */
export function addressText({ family, bits }: Address): string {
  if (family === 4) return split(bits, 4, 8n).join(".");
  const groups = split(bits, 8, 16n).map((group) => group.toString(16));
  const { start, length } = longestZeros(groups);
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}

function parseIpv6(text: string): bigint {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain =
    dotted === null
      ? text
      : text.slice(0, dotted.index) +
        [dotted.slice(1, 3), dotted.slice(3, 5)]
          .map((pair) => joined(pair.map(Number), 8n).toString(16))
          .join(":");
  const [head = "", tail] = plain.split("::");
  const groupsOf = (part: string) => (part === "" ? [] : part.split(":"));
  const [left, right] = [groupsOf(head), groupsOf(tail ?? "")];
  const missing = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: missing }, () => "0"), ...right];
  return joined(
    groups.map((group) => Number.parseInt(group, 16)),
    16n,
  );
}

const joined = (parts: readonly number[], width: bigint) =>
  parts.reduce((bits, part) => (bits << width) | BigInt(part), 0n);

const split = (bits: bigint, count: number, width: bigint) =>
  Array.from({ length: count }, (_, at) => {
    const shift = BigInt(count - 1 - at) * width;
    return Number((bits >> shift) & ((1n << width) - 1n));
  });

function longestZeros(groups: readonly string[]) {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [at, group] of groups.entries()) {
    if (group !== "0") start = at + 1;
    else if (at + 1 - start > best.length) best = { start, length: at + 1 - start };
  }
  return best;
}
