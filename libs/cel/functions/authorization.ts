/** Kubernetes' `authorizer`: what a user may do, asked in an expression. */
import { nameFault } from "../../model/names.ts";
import { charge } from "../budget.ts";
import { define, failure, type Library } from "./library.ts";

/** What is asked: about a resource, or about a path. */
export type AccessAsked =
  | {
      readonly group: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
      readonly verb: string;
    }
  | { readonly path: string; readonly verb: string };
export type AccessVerdict = { readonly allowed: boolean; readonly reason: string };

/** Whose rights are asked for. */
export type Subject = {
  readonly may: (asked: AccessAsked) => AccessVerdict;
  /** The same of a ServiceAccount. */
  readonly ofAccount: (namespace: string, name: string) => Subject;
};

type Resource = Omit<Extract<AccessAsked, { readonly resource: string }>, "verb">;

/** `requestResource` is what the request is about; there is none for another subject. */
class Authorizer {
  readonly subject: Subject;
  readonly requestResource: ResourceCheck | undefined;
  constructor(subject: Subject, requestResource?: ResourceCheck) {
    this.subject = subject;
    this.requestResource = requestResource;
  }
}

class GroupCheck {
  readonly subject: Subject;
  readonly group: string;
  constructor(subject: Subject, group: string) {
    this.subject = subject;
    this.group = group;
  }
}

class ResourceCheck {
  readonly subject: Subject;
  readonly resource: Resource;
  constructor(subject: Subject, resource: Resource) {
    this.subject = subject;
    this.resource = resource;
  }
  with(more: Partial<Resource>): ResourceCheck {
    return new ResourceCheck(this.subject, { ...this.resource, ...more });
  }
}

class PathCheck {
  readonly subject: Subject;
  readonly path: string;
  constructor(subject: Subject, path: string) {
    this.subject = subject;
    this.path = path;
  }
}

class Decision {
  readonly verdict: AccessVerdict;
  constructor(verdict: AccessVerdict) {
    this.verdict = verdict;
  }
}

/** The variable `authorizer`, of who asks for `requested`. */
export const authorizerOf = (subject: Subject, requested: Resource): object =>
  new Authorizer(subject, new ResourceCheck(subject, requested));

const [authorizer, groupCheck, resourceCheck, pathCheck, decision] = [
  "kubernetes.authorization.Authorizer",
  "kubernetes.authorization.GroupCheck",
  "kubernetes.authorization.ResourceCheck",
  "kubernetes.authorization.PathCheck",
  "kubernetes.authorization.Decision",
] as const;

/** A question costs as much as it does in Kubernetes, where it may have to be asked elsewhere. */
const checkCost = 350_000;

export const authorization: Library = (environment) => {
  environment.registerType(decision, { ctor: Decision, fields: {} });
  environment.registerType(pathCheck, { ctor: PathCheck, fields: {} });
  environment.registerType(resourceCheck, { ctor: ResourceCheck, fields: {} });
  environment.registerType(groupCheck, { ctor: GroupCheck, fields: {} });
  environment.registerType(authorizer, {
    ctor: Authorizer,
    fields: { requestResource: resourceCheck },
  });
  const narrowed = (field: keyof Resource) => (check: ResourceCheck, value: string) =>
    check.with({ [field]: value });
  define(environment, [
    [`${authorizer}.path(string): ${pathCheck}`, pathOf],
    [
      `${authorizer}.group(string): ${groupCheck}`,
      ({ subject }: Authorizer, group: string) => new GroupCheck(subject, group),
    ],
    [`${authorizer}.serviceAccount(string, string): ${authorizer}`, accountOf],
    [`${groupCheck}.resource(string): ${resourceCheck}`, resourceOf],
    [`${resourceCheck}.subresource(string): ${resourceCheck}`, narrowed("subresource")],
    [`${resourceCheck}.namespace(string): ${resourceCheck}`, narrowed("namespace")],
    [`${resourceCheck}.name(string): ${resourceCheck}`, narrowed("name")],
    // No rule of ours speaks of selectors: they change no answer.
    [`${resourceCheck}.fieldSelector(string): ${resourceCheck}`, (check: ResourceCheck) => check],
    [`${resourceCheck}.labelSelector(string): ${resourceCheck}`, (check: ResourceCheck) => check],
    [
      `${resourceCheck}.check(string): ${decision}`,
      ({ subject, resource }: ResourceCheck, verb: string) =>
        decided(subject, { ...resource, verb }),
    ],
    [
      `${pathCheck}.check(string): ${decision}`,
      ({ subject, path }: PathCheck, verb: string) => decided(subject, { path, verb }),
    ],
    [`${decision}.allowed(): bool`, ({ verdict }: Decision) => verdict.allowed],
    [`${decision}.reason(): string`, ({ verdict }: Decision) => verdict.reason],
    // An answer is always known.
    [`${decision}.errored(): bool`, () => false],
    [`${decision}.error(): string`, () => ""],
  ]);
};

function decided(subject: Subject, asked: AccessAsked): Decision {
  charge(checkCost);
  return new Decision(subject.may(asked));
}

function pathOf({ subject }: Authorizer, path: string): PathCheck {
  if (path.trim() === "") throw failure("path must not be empty");
  return new PathCheck(subject, path);
}

function resourceOf({ subject, group }: GroupCheck, resource: string): ResourceCheck {
  if (resource.trim() === "") throw failure("resource must not be empty");
  return new ResourceCheck(subject, { group, resource, subresource: "", namespace: "", name: "" });
}

function accountOf({ subject }: Authorizer, namespace: string, name: string): Authorizer {
  if (nameFault("dns1123Subdomain", name) !== undefined)
    throw failure("Invalid service account name");
  if (nameFault("dns1123Label", namespace) !== undefined)
    throw failure("Invalid service account namespace");
  return new Authorizer(subject.ofAccount(namespace, name));
}
