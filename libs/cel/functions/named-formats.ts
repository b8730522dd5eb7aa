/** Kubernetes' library of formats: `format.dns1123Label().validate(text)`. */
import { Optional } from "@marcbachmann/cel-js";
import { labelKeyFault, labelValueFault, nameFault } from "../../model/names.ts";
import { define, type Library, namespace } from "./library.ts";
import { parseUrl } from "./parse-url.ts";

class Format {
  readonly name: string;
  readonly fault: (text: string) => string | undefined;
  constructor(name: string, fault: (text: string) => string | undefined) {
    this.name = name;
    this.fault = fault;
  }
  toString() {
    return this.name;
  }
}

const type = "kubernetes.NamedFormat";
/** Of a generated name's beginning, which another part follows. */
const asPrefix = (text: string) => (text.endsWith("-") ? `${text.slice(0, -1)}a` : text);
const unless = (right: (text: string) => boolean, fault: string) => (text: string) =>
  right(text) ? undefined : fault;

const formats: readonly Format[] = Object.entries({
  dns1123Label: (text: string) => nameFault("dns1123Label", text),
  dns1123Subdomain: (text: string) => nameFault("dns1123Subdomain", text),
  dns1035Label: (text: string) => nameFault("dns1035Label", text),
  dns1123LabelPrefix: (text: string) => nameFault("dns1123Label", asPrefix(text)),
  dns1123SubdomainPrefix: (text: string) => nameFault("dns1123Subdomain", asPrefix(text)),
  dns1035LabelPrefix: (text: string) => nameFault("dns1035Label", asPrefix(text)),
  qualifiedName: labelKeyFault,
  labelValue: labelValueFault,
  uri: unless((text) => parseUrl(text) !== undefined, "must be a valid URI"),
  uuid: unless(
    (text) => /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(text),
    "does not match the UUID format",
  ),
  byte: unless(
    (text) => /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
    "invalid base64",
  ),
  date: unless((text) => isDate(text), "invalid date"),
  datetime: unless((text) => isDateTime(text), "invalid datetime"),
}).map(([name, fault]) => new Format(name, fault));

export const namedFormats: Library = (environment) => {
  environment.registerType(type, { ctor: Format, fields: {} });
  environment.registerOperator(`${type} == ${type}`, (a: Format, b: Format) => a === b);
  namespace(environment, "format", [
    [
      `named(string): optional<${type}>`,
      (name: string) => Optional.of(formats.find((one) => one.name === name)),
    ],
    ...formats.map((one) => [`${one.name}(): ${type}`, () => one] as const),
  ]);
  define(environment, [
    [
      `${type}.validate(string): optional<list<string>>`,
      (self: Format, text: string) => {
        const fault = self.fault(text);
        return fault === undefined ? Optional.none() : Optional.of([fault]);
      },
    ],
  ]);
};

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const time = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text);
}

const isDateTime = (text: string) =>
  isDate(text.slice(0, 10)) &&
  /^[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.test(
    text.slice(10),
  );
