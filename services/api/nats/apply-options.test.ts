import { expect, test } from "vitest";
import type { ApiError } from "../../../libs/model/errors.ts";
import { applyAsIn } from "./apply-options.ts";

const asked = (headers: Readonly<Record<string, string>>, manager = "team") =>
  applyAsIn((name) => headers[name], manager);

test("without headers nothing is forced, tried or pruned", () => {
  expect(asked({})).toEqual({ manager: "team", force: false, dryRun: false, set: undefined });
});

test("headers say how", () => {
  const headers = { "berth-force": "true", "berth-dry-run": "true", "berth-prune": "web-1" };
  expect(asked(headers)).toEqual({ manager: "team", force: true, dryRun: true, set: "web-1" });
});

test.each<[string, Readonly<Record<string, string>>, string, string]>([
  ["a dry run by another word", { "berth-dry-run": "All" }, "team", "Berth-Dry-Run: must be true"],
  ["a force by another word", { "berth-force": "yes" }, "team", "Berth-Force: must be true"],
  ["a set without a name", { "berth-prune": "" }, "team", "Berth-Prune: a set's name"],
  ["a set's name in capitals", { "berth-prune": "Web" }, "team", "Berth-Prune: a set's name"],
  ["a long name", { "berth-prune": "w".repeat(64) }, "team", "Berth-Prune: a set's name"],
  ["a long manager", {}, "m".repeat(129), "may not be more than 128 bytes"],
  ["a manager of many bytes", {}, "é".repeat(65), "may not be more than 128 bytes"],
  ["a manager that cannot be printed", {}, "a\u0007", "only contain printable characters"],
])("%s is refused", (_name, headers, manager, said) => {
  expect(() => asked(headers, manager)).toThrow(said);
});

test("a manager's fault is Kubernetes' own", () => {
  let refusal: unknown;
  try {
    asked({}, "m".repeat(129));
  } catch (error) {
    refusal = error;
  }
  const causes = [{ reason: "FieldValueTooLong", field: "fieldManager" }];
  expect((refusal as ApiError).toStatus()).toMatchObject({ code: 422, details: { causes } });
});
