/**
 * Kubernetes' resource.Quantity: `500m`, `1.5`, `128Mi`, `1e3`. A fixed-point number with a form of
 * writing; exact to a billionth, finer fractions round up.
 *
 * | written | value        | canonical |
 * |--------:|-------------:|----------:|
 * |   `0.5` |          0.5 |    `500m` |
 * | `1.5Gi` | 1610612736   |  `1536Mi` |
 * |  `1000` |         1000 |      `1k` |
 */
import * as z from "zod";

/** Ways of writing: powers of 1000 with a letter, powers of 1024, an exponent. */
type Form = "decimal" | "binary" | "exponent";
type Parsed = { readonly nano: bigint; readonly form: Form };

const decimalSuffixes: readonly (readonly [string, number])[] = [
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
];
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const pattern =
  /^([+-]?)(\d+\.?\d*|\.\d+)(?:(Ki|Mi|Gi|Ti|Pi|Ei)|([eE][+-]?\d{1,3})|(n|u|m|k|M|G|T|P|E)?)$/;
const one = 1_000_000_000n;
/** Kubernetes caps at what a signed 64-bit integer holds. */
const nanoMax = (2n ** 63n - 1n) * one;

export const quantityFault =
  "quantities must match the regular expression " +
  "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** A quantity; numbers are taken too. The output is canonical text. */
export const quantity = z
  .preprocess(
    (input) => (typeof input === "number" ? String(input) : input),
    z
      .string()
      .refine((text) => parseText(text) !== undefined, {
        error: quantityFault,
        abort: true,
        params: { reason: "FieldValueInvalid" },
      })
      .overwrite(canonicalQuantity),
  )
  .meta({ format: "quantity" });

export const isQuantity = (value: string | number): boolean =>
  parseText(String(value)) !== undefined;

/** Resource name to quantity, none of them negative. */
export const resourceList = z.record(
  z.string(),
  quantity.refine((text) => !text.startsWith("-"), "must be greater than or equal to 0"),
);
export type ResourceList = Readonly<Record<string, string>>;

/**
 * The canonical text: no fraction, the largest suffix that loses nothing.
 *
 * @throws {RangeError} when `text` is no quantity
 */
export function canonicalQuantity(text: string): string {
  return format(parsed(text));
}

/**
 * In whole units, rounded up: bytes of a memory quantity.
 *
 * @throws {RangeError} when `text` is no quantity
 */
export const quantityValue = (text: string): number => Number(ceilDivide(parsed(text).nano, one));

/**
 * In thousandths, rounded up: milli-CPU of a CPU quantity.
 *
 * @throws {RangeError} when `text` is no quantity
 */
export const quantityMilli = (text: string): number =>
  Number(ceilDivide(parsed(text).nano, 1_000_000n));

/**
 * As a number, which large or finely divided amounts lose digits to: `"250m"` is 0.25. 0 when absent.
 *
 * @throws {RangeError} when `text` is no quantity
 */
export const quantityNumber = (text: string | undefined): number =>
  text === undefined ? 0 : Number(parsed(text).nano) / 1e9;

/** Below, equal or above 0 as `a` is less than, equal to or more than `b`. */
export function compareQuantities(a: string, b: string): number {
  const difference = parsed(a).nano - parsed(b).nano;
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

/**
 * The sum, written as the first that is not 0 is.
 *
 * @throws {RangeError} when one is no quantity
 */
export function addQuantities(a: string, b: string): string {
  const [one, other] = [parsed(a), parsed(b)];
  return format({ nano: one.nano + other.nano, form: (one.nano === 0n ? other : one).form });
}

/**
 * `a` less `b`, written as `a` is.
 *
 * @throws {RangeError} when one is no quantity
 */
export function subtractQuantities(a: string, b: string): string {
  const [one, other] = [parsed(a), parsed(b)];
  return format({ nano: one.nano - other.nano, form: one.form });
}

function parsed(text: string): Parsed {
  const result = parseText(text);
  if (result === undefined) throw new RangeError(quantityFault);
  return result;
}

function parseText(text: string): Parsed | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, sign, digits = "", binary, exponent, suffix = ""] = match;
  const [whole = "", fraction = ""] = digits.split(".");
  const mantissa = BigInt(`${whole}${fraction}`);
  const magnitude = scaled(mantissa, fraction.length, { binary, exponent, suffix });
  const capped = magnitude > nanoMax ? nanoMax : magnitude;
  const form = binary === undefined ? (exponent === undefined ? "decimal" : "exponent") : "binary";
  return { nano: sign === "-" ? -capped : capped, form };
}

type Scale = {
  readonly binary: string | undefined;
  readonly exponent: string | undefined;
  readonly suffix: string;
};

/** `mantissa / 10^fractionDigits`, scaled, in billionths and rounded away from zero. */
function scaled(mantissa: bigint, fractionDigits: number, scale: Scale): bigint {
  const { binary, exponent, suffix } = scale;
  const factor = binary === undefined ? 1n : 1_024n ** BigInt(binarySuffixes.indexOf(binary));
  const named = decimalSuffixes.find(([name]) => name === suffix)?.[1] ?? 0;
  const power = 9 - fractionDigits + (exponent === undefined ? named : Number(exponent.slice(1)));
  const value = mantissa * factor;
  return power >= 0 ? value * 10n ** BigInt(power) : ceilDivide(value, 10n ** BigInt(-power));
}

function format({ nano, form }: Parsed): string {
  if (nano === 0n) return "0";
  const small = nano > -1_024n * one && nano < 1_024n * one;
  if (form === "binary" && !small && nano % one === 0n) return binaryText(nano / one);
  return decimalText(nano, form === "exponent");
}

function binaryText(value: bigint): string {
  let [rest, step] = [value, 0];
  while (step < binarySuffixes.length - 1 && rest % 1_024n === 0n)
    [rest, step] = [rest / 1_024n, step + 1];
  return `${rest}${binarySuffixes[step]}`;
}

function decimalText(nano: bigint, asExponent: boolean): string {
  let [rest, step] = [nano, 0];
  while (step < decimalSuffixes.length - 1 && rest % 1_000n === 0n)
    [rest, step] = [rest / 1_000n, step + 1];
  const [suffix, power] = decimalSuffixes[step] ?? ["", 0];
  if (asExponent) return power === 0 ? String(rest) : `${rest}e${power}`;
  return `${rest}${suffix}`;
}

/** Rounded away from zero. */
function ceilDivide(value: bigint, divisor: bigint): bigint {
  const whole = value / divisor;
  if (value % divisor === 0n) return whole;
  return value < 0n ? whole - 1n : whole + 1n;
}
