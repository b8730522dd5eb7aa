/** The formats of strings that Kubernetes checks in custom resources; others say nothing. */
import { isIP, isIPv4, isIPv6 } from "node:net";
import { isBase64 } from "../field.ts";
import { nameFault } from "../names.ts";

const matching = (pattern: RegExp) => (text: string) => pattern.test(text);

const uuid = (version: string) =>
  matching(
    new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, "i"),
  );

const formats: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: matching(/^[0-9a-f]{24}$/i),
  uri: (text) => /^[a-zA-Z][a-zA-Z0-9+.-]*:\S+$/.test(text) || /^\/\S*$/.test(text),
  email: matching(/^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:"]+$/),
  hostname: (text) =>
    text.length <= 253 &&
    matching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/i)(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCidr,
  mac: matching(
    /^([0-9a-f]{2}([:-])([0-9a-f]{2}\2){4}[0-9a-f]{2}|([0-9a-f]{4}\.){2}[0-9a-f]{4})$/i,
  ),
  uuid: uuid("[0-9a-f]"),
  uuid3: uuid("3"),
  uuid4: uuid("4"),
  uuid5: uuid("5"),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: (text) => /^\d{13,19}$/.test(plain(text)) && luhn(plain(text)),
  ssn: matching(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matching(/^#?([0-9a-f]{3}|[0-9a-f]{6})$/i),
  rgbcolor: matching(
    /^rgb\(\s*(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])(\s*,\s*(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])){2}\s*\)$/,
  ),
  byte: isBase64,
  password: () => true,
  date: isDate,
  duration: isDuration,
  datetime: isDateTime,
  "date-time": isDateTime,
  "k8s-short-name": (text) => nameFault("dns1123Label", text) === undefined,
  "k8s-long-name": (text) => nameFault("dns1123Subdomain", text) === undefined,
};

/** Whether a string is of that format; every string is of one that is not known. */
export const isOfFormat = (format: string, text: string): boolean =>
  (Object.hasOwn(formats, format) ? formats[format]?.(text) : undefined) ?? true;

function isCidr(text: string): boolean {
  const [host = "", prefix = "", ...more] = text.split("/");
  const family = isIP(host);
  return (
    family !== 0 &&
    more.length === 0 &&
    /^\d{1,3}$/.test(prefix) &&
    Number(prefix) <= (family === 4 ? 32 : 128)
  );
}

export function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const time = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text);
}

export function isDateTime(text: string): boolean {
  const clock =
    /^[Tt ](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):?[0-5]\d)$/;
  return isDate(text.slice(0, 10)) && clock.test(text.slice(10));
}

/** As Go writes them (`1h30m`), or in words (`3 weeks`). */
function isDuration(text: string): boolean {
  const go = /^[+-]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/;
  const words =
    /^\d+\s*(ns|nano|nanos|nanoseconds?|us|µs|micro|micros|microseconds?|ms|milli|millis|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)$/;
  return go.test(text) || words.test(text);
}

const plain = (text: string) => text.replaceAll(/[- ]/g, "");
const digitsOf = (text: string) =>
  Array.from(text, (digit) => (digit === "X" ? 10 : Number(digit)));

function isIsbn10(text: string): boolean {
  const bare = plain(text);
  if (!/^\d{9}[\dX]$/.test(bare)) return false;
  return digitsOf(bare).reduce((sum, digit, at) => sum + digit * (10 - at), 0) % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const bare = plain(text);
  if (!/^\d{13}$/.test(bare)) return false;
  return (
    digitsOf(bare).reduce((sum, digit, at) => sum + digit * (at % 2 === 0 ? 1 : 3), 0) % 10 === 0
  );
}

function luhn(text: string): boolean {
  const sum = digitsOf(text)
    .toReversed()
    .reduce((total, digit, at) => {
      const weighed = at % 2 === 1 ? digit * 2 : digit;
      return total + (weighed > 9 ? weighed - 9 : weighed);
    }, 0);
  return sum % 10 === 0;
}
