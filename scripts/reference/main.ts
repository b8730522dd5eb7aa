/**
 * Writes `test/fixtures/kubernetes-types.json`: facts of Kubernetes' types that ours are compared with
 * (`libs/model/reference.test.ts`). Run by hand for a new release, on clones of three repositories:
 *
 *     node scripts/reference/main.ts release-1.36 <kubernetes/api> <kubernetes/apimachinery> \
 *       <kubernetes/apiextensions-apiserver>
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../tools/paths.ts";
import { disagreements } from "./client-models.ts";
import { factsOf } from "./facts.ts";

const [ref, api, apimachinery, apiextensions] = process.argv.slice(2);
if (
  ref === undefined ||
  api === undefined ||
  apimachinery === undefined ||
  apiextensions === undefined
) {
  throw new Error("usage: main.ts <ref> <api> <apimachinery> <apiextensions-apiserver>");
}

const show = (repository: string, path: string): string =>
  execFileSync("git", ["-C", repository, "show", `${ref}:${path}`], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });

/** The Go source of a package by its title. */
function read(title: string): string {
  const [group = "", version = ""] = title.split(".");
  if (group === "meta") {
    return show(apimachinery ?? "", `pkg/apis/meta/${version}/types.go`);
  }
  if (group === "apiextensions") {
    const folder = `pkg/apis/apiextensions/${version}`;
    return ["types.go", "types_jsonschema.go"]
      .map((file) => show(apiextensions ?? "", `${folder}/${file}`))
      .join("\n");
  }
  return show(api ?? "", `${group}/${version}/types.go`);
}

const facts = factsOf(`kubernetes/api ${ref}`, { read });
const wrong = await disagreements(facts);
if (wrong.length > 0) {
  throw new Error(`the client library says otherwise:\n${wrong.join("\n")}`);
}
const path = join(root, "test/fixtures/kubernetes-types.json");
writeFileSync(path, `${JSON.stringify(facts, undefined, 2)}\n`);
process.stdout.write(
  `${path}: ${Object.keys(facts.kinds).length} kinds, ${Object.keys(facts.messages).length} messages\n`,
);
