import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const exclude = (path: string) => path.includes("node_modules") || path.includes("fixtures/");
const read = (pattern: string) =>
  globSync(pattern, { cwd: root, exclude }).map((path) => ({
    path,
    text: readFileSync(join(root, path), "utf8"),
  }));

const all = read("{libs,services,scripts,test,bench,examples}/**/*.ts");
const shipped = read("{libs,services}/**/*.ts").filter(
  ({ path }) => !/\.test\.ts$|contract(-model)?\.ts$/.test(path),
);
const paths = (files: readonly { path: string }[]) => files.map(({ path }) => path);

test("there are sources to look at", () => {
  expect(all).not.toEqual([]); // A glob that finds nothing would pass everything.
  expect(shipped).not.toEqual([]);
});

test("time and chance enter through their ports", () => {
  const ambient =
    /Date\.now|new Date\(\)|performance\.now|Math\.random|randomUUID|\bset(Timeout|Interval)\(/;
  const ports = ["libs/telemetry/clock.ts", "libs/telemetry/random.ts"];
  const strays = shipped.filter(({ path, text }) => ambient.test(text) && !ports.includes(path));
  expect(paths(strays)).toEqual([]);
});

test("only main.ts reads the process's environment", () => {
  const strays = shipped.filter(
    ({ path, text }) =>
      /process\.env/.test(text) &&
      !path.endsWith("/main.ts") &&
      path !== "libs/telemetry/stop-signal.ts",
  );
  expect(paths(strays)).toEqual([]);
});

test("files are named in kebab-case", () => {
  const strays = all.filter(({ path }) => !/^([a-z0-9.-]+\/)*[a-z0-9.-]+\.ts$/.test(path));
  expect(paths(strays)).toEqual([]);
});

test("no file is longer than 500 lines", () => {
  const strays = all.filter(({ text }) => text.split("\n").length > 501);
  expect(paths(strays)).toEqual([]);
});

test("nothing is left to do, skipped or silenced", () => {
  const marks = /[T]ODO|[F]IXME|ts-[i]gnore|ts-[n]ocheck/;
  const strays = all.filter(({ text }) => marks.test(text));
  expect(paths(strays)).toEqual([]);
});

test("no error is swallowed without a word", () => {
  const strays = all.filter(({ text }) => /catch\s*(\([^)]*\))?\s*\{\s*\}/.test(text));
  expect(paths(strays)).toEqual([]);
});

test("every dependency has an exact version", () => {
  const manifests = read("{package.json,libs/*/package.json,services/*/package.json}");
  expect(manifests.length).toBeGreaterThan(10);
  const loose = manifests.flatMap(({ path, text }) => {
    const manifest = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
    const versions = ["dependencies", "devDependencies", "optionalDependencies"].flatMap((field) =>
      Object.entries(manifest[field] ?? {}),
    );
    return versions
      .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
      .map(([name]) => `${path}: ${name}`);
  });
  expect(loose).toEqual([]);
});

test("the lockfile names no machine's address", () => {
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  expect([...lock.matchAll(/"resolved": "(https?:[^"]*)"/g)].map(([, url]) => url)).toEqual([]);
});

test("the lockfile knows every platform's packages", () => {
  // A registry that lacks one makes npm leave it out, and then `npm ci` refuses the lockfile.
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const locked = new Set(
    Object.keys(lock.packages).map((path) => path.split("node_modules/").at(-1)),
  );
  const missing = Object.values(lock.packages)
    .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    .filter((name) => !locked.has(name));
  expect(missing).toEqual([]);
});
