/** What Kubernetes takes as a name, a label, a key: each with its words for what is wrong. */
import * as z from "zod";

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const qualified = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

type Form = {
  readonly pattern: string;
  readonly max: number;
  readonly words: string;
  readonly min?: number;
};

const compiled = new Map<string, RegExp>();

/** The pattern for the whole of a text; there are as many as forms below. */
function wholly(pattern: string): RegExp {
  const known = compiled.get(pattern) ?? new RegExp(`^(?:${pattern})$`);
  compiled.set(pattern, known);
  return known;
}

/** What is wrong with `text`, in Kubernetes' words; undefined when it is right. */
function faultOf({ pattern, max, words, min = 1 }: Form, text: string): string | undefined {
  if (text.length > max) return `must be no more than ${max} characters`;
  if (text.length < min) return "must not be empty";
  return wholly(pattern).test(text) ? undefined : withPattern(words, pattern);
}

/** Examples and the pattern are in one pair of brackets, with Kubernetes' spaces between the examples. */
function withPattern(words: string, pattern: string): string {
  const examples = words.endsWith(")") ? words.slice(0, -1).replaceAll("', or '", "',  or '") : "";
  const told = `regex used for validation is '${pattern}')`;
  return examples === "" ? `${words} (${told}` : `${examples}, ${told}`;
}

/** A string of a form. The message quotes it: names are no secrets. */
function formed(form: Form): z.ZodString {
  return z.string().superRefine((text, context) => {
    const fault = faultOf(form, text);
    if (fault !== undefined) context.addIssue(`Invalid value: ${quoted(text)}: ${fault}`);
  });
}

const quoted = (text: string) =>
  JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text);

const subdomainForm: Form = {
  pattern: subdomain,
  max: 253,
  words:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
    "and must start and end with an alphanumeric character (e.g. 'example.com')",
};
const labelForm: Form = {
  pattern: label,
  max: 63,
  words:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must " +
    "start and end with an alphanumeric character (e.g. 'my-name', or '123-abc')",
};
const valueForm: Form = {
  pattern: `(${qualified})?`,
  max: 63,
  min: 0,
  words:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and " +
    "must start and end with an alphanumeric character (e.g. 'MyValue', or 'my_value', or '12345')",
};
const nameForm: Form = {
  pattern: qualified,
  max: 63,
  words:
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with " +
    "an alphanumeric character (e.g. 'MyName', or 'my.name', or '123-abc')",
};

const label1035Form: Form = {
  pattern: "[a-z]([-a-z0-9]*[a-z0-9])?",
  max: 63,
  words:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an " +
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name', or 'abc-123')",
};
const nameForms = {
  dns1123Subdomain: subdomainForm,
  dns1123Label: labelForm,
  dns1035Label: label1035Form,
} as const;

/** What is wrong with a name of one of these forms. */
export const nameFault = (form: keyof typeof nameForms, text: string): string | undefined =>
  faultOf(nameForms[form], text);

/** Names of most objects. */
export const dnsSubdomain = formed(subdomainForm);
/** Names of Namespaces, containers and volumes. */
export const dnsLabel = formed(labelForm);
/** Names of Services. */
export const dns1035Label = formed(label1035Form);
/** Name of a container's port. */
export const portName = formed({
  pattern: "[a-z0-9]([a-z0-9-]*[a-z0-9])?",
  max: 15,
  words: "must contain only alphanumeric characters (a-z, 0-9), and hyphens (-)",
}).refine((name) => /[a-z]/.test(name), "must contain at least one letter (a-z)");
/** Key of a ConfigMap or Secret. */
export const configKey = formed({
  pattern: "[-._a-zA-Z0-9]+",
  max: 253,
  words:
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name', " +
    "or 'KEY_NAME', or 'key-name')",
}).refine(
  (key) => key !== "." && !key.startsWith(".."),
  "must not be '.' and must not start with '..'",
);
/** Name of an environment variable: anything printable but `=`. */
export const envName = formed({
  pattern: "[ -<>-~]+",
  max: 32_768,
  words:
    "a valid environment variable name must consist only of printable ASCII characters other than '='",
});
/** Anything that can stand in a URL's path: names of roles, `system:node`. */
export const pathSegment = z.string().superRefine((name, context) => {
  const said = `Invalid value: ${quoted(name)}`;
  if (name === "") context.addIssue("Required value");
  if (name === "." || name === "..") context.addIssue(`${said}: may not be '${name}'`);
  for (const part of ["/", "%"]) {
    if (name.includes(part)) context.addIssue(`${said}: may not contain '${part}'`);
  }
});
/** A DNS name whose first label may be `*`. */
export const wildcardSubdomain = formed({
  pattern: `\\*\\.${subdomain}`,
  max: 253,
  words:
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must " +
    "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character " +
    "(e.g. '*.example.com')",
});
/** Value of a label. */
export const labelValue = formed(valueForm);

/** What is wrong with the key of a label, annotation, taint or resource. */
export function labelKeyFault(key: string): string | undefined {
  const parts = key.split("/");
  if (parts.length > 2) {
    return "a qualified name must consist of a name part and an optional DNS subdomain prefix, joined by one '/'";
  }
  const [prefix, name = ""] = parts.length === 2 ? parts : [undefined, key];
  const wrongPrefix = prefix === undefined ? undefined : faultOf(subdomainForm, prefix);
  return wrongPrefix === undefined ? faultOf(nameForm, name) : `prefix part ${wrongPrefix}`;
}

export const labelKey = z.string().superRefine((key, context) => {
  const fault = labelKeyFault(key);
  if (fault !== undefined) context.addIssue(`Invalid value: ${quoted(key)}: ${fault}`);
});

/** What is wrong with the value of a label. */
export const labelValueFault = (text: string): string | undefined => faultOf(valueForm, text);

export const isLabelValue = (text: string): boolean => labelValueFault(text) === undefined;
