/** Kubernetes' quantities and versions in CEL. */
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  isQuantity,
  quantityNumber,
  subtractQuantities,
} from "../../model/quantity.ts";
import { define, failure, type Library } from "./library.ts";

class Quantity {
  readonly text: string;
  constructor(text: string) {
    this.text = canonicalQuantity(text);
  }
  toString() {
    return this.text;
  }
}

class Semver {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly prerelease: readonly string[];
  readonly text: string;
  constructor(text: string, match: RegExpExecArray) {
    const [, major = "0", minor = "0", patch = "0", prerelease = ""] = match;
    this.numbers = [BigInt(major), BigInt(minor), BigInt(patch)];
    this.prerelease = prerelease === "" ? [] : prerelease.split(".");
    this.text = text;
  }
  toString() {
    return this.text;
  }
}

const type = "kubernetes.Quantity";
const version = "kubernetes.Semver";
/** The largest that an int holds. */
const intMax = 2n ** 63n - 1n;

export const quantities: Library = (environment) => {
  environment.registerType(type, { ctor: Quantity, fields: {} });
  environment.registerType(version, { ctor: Semver, fields: {} });
  environment.registerOperator(
    `${type} == ${type}`,
    (a: Quantity, b: Quantity) => order(a, b) === 0,
  );
  environment.registerOperator(
    `${version} == ${version}`,
    (a: Semver, b: Semver) => newer(a, b) === 0,
  );
  define(environment, [
    ["isQuantity(string): bool", (text: string) => isQuantity(text)],
    [`quantity(string): ${type}`, quantityOf],
    [`${type}.sign(): int`, (self: Quantity) => BigInt(compareQuantities(self.text, "0"))],
    [`${type}.isInteger(): bool`, (self: Quantity) => wholeOf(self) !== undefined],
    [`${type}.asInteger(): int`, asInteger],
    [`${type}.asApproximateFloat(): double`, (self: Quantity) => quantityNumber(self.text)],
    [`${type}.isGreaterThan(${type}): bool`, (a: Quantity, b: Quantity) => order(a, b) > 0],
    [`${type}.isLessThan(${type}): bool`, (a: Quantity, b: Quantity) => order(a, b) < 0],
    [`${type}.compareTo(${type}): int`, (a: Quantity, b: Quantity) => BigInt(order(a, b))],
    [
      `${type}.add(${type}): ${type}`,
      (a: Quantity, b: Quantity) => new Quantity(addQuantities(a.text, b.text)),
    ],
    [
      `${type}.add(int): ${type}`,
      (a: Quantity, b: bigint) => new Quantity(addQuantities(a.text, String(b))),
    ],
    [
      `${type}.sub(${type}): ${type}`,
      (a: Quantity, b: Quantity) => new Quantity(subtractQuantities(a.text, b.text)),
    ],
    [
      `${type}.sub(int): ${type}`,
      (a: Quantity, b: bigint) => new Quantity(subtractQuantities(a.text, String(b))),
    ],
    ["isSemver(string): bool", (text: string) => semverPattern.test(text)],
    [`semver(string): ${version}`, semverOf],
    [`${version}.major(): int`, (self: Semver) => self.numbers[0]],
    [`${version}.minor(): int`, (self: Semver) => self.numbers[1]],
    [`${version}.patch(): int`, (self: Semver) => self.numbers[2]],
    [`${version}.isGreaterThan(${version}): bool`, (a: Semver, b: Semver) => newer(a, b) > 0],
    [`${version}.isLessThan(${version}): bool`, (a: Semver, b: Semver) => newer(a, b) < 0],
    [`${version}.compareTo(${version}): int`, (a: Semver, b: Semver) => BigInt(newer(a, b))],
  ]);
};

const order = (a: Quantity, b: Quantity) => compareQuantities(a.text, b.text);

function quantityOf(text: string): Quantity {
  if (!isQuantity(text)) throw failure(`quantities must match the regular expression: ${text}`);
  return new Quantity(text);
}

/** As an int, where it is one and fits. */
function wholeOf({ text }: Quantity): bigint | undefined {
  const [, digits = "", suffix = ""] = /^(-?\d+)(.*)$/.exec(text) ?? [];
  const factor =
    factors[suffix] ?? (/^e\d+$/.test(suffix) ? 10n ** BigInt(suffix.slice(1)) : undefined);
  if (factor === undefined) return undefined;
  const value = BigInt(digits) * factor;
  return value > intMax || value < -intMax - 1n ? undefined : value;
}

/** Of canonical texts: those of fractions are missing on purpose. */
const factors: Readonly<Record<string, bigint>> = {
  "": 1n,
  k: 10n ** 3n,
  M: 10n ** 6n,
  G: 10n ** 9n,
  T: 10n ** 12n,
  P: 10n ** 15n,
  E: 10n ** 18n,
  Ki: 1_024n,
  Mi: 1_024n ** 2n,
  Gi: 1_024n ** 3n,
  Ti: 1_024n ** 4n,
  Pi: 1_024n ** 5n,
  Ei: 1_024n ** 6n,
};

function asInteger(self: Quantity): bigint {
  const value = wholeOf(self);
  if (value === undefined) throw failure("cannot convert value to integer");
  return value;
}

const semverPattern =
  /^(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,17})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

function semverOf(text: string): Semver {
  const match = semverPattern.exec(text);
  if (match === null) throw failure(`invalid semantic version: ${text}`);
  return new Semver(text, match);
}

/** By the rules of semver.org; a release is newer than what came before it. */
function newer(a: Semver, b: Semver): number {
  for (const [at, number] of a.numbers.entries()) {
    const other = b.numbers[at] ?? 0n;
    if (number !== other) return number > other ? 1 : -1;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0)
    return Math.sign(b.prerelease.length - a.prerelease.length);
  for (const [at, part] of a.prerelease.entries()) {
    const difference = comparePart(part, b.prerelease[at]);
    if (difference !== 0) return difference;
  }
  return a.prerelease.length < b.prerelease.length ? -1 : 0;
}

function comparePart(part: string, other: string | undefined): number {
  if (other === undefined) return 1;
  const [number, otherNumber] = [/^\d+$/.test(part), /^\d+$/.test(other)];
  if (number !== otherNumber) return number ? -1 : 1;
  if (number) return Math.sign(Number(part) - Number(other));
  return part === other ? 0 : part > other ? 1 : -1;
}
