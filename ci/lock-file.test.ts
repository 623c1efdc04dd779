/**
 * What `npm ci`, and whoever installs the package, is not to be told: that something is not for
 * their Node.js, is deprecated, or wants to run a script.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { minVersion, satisfies } from "semver";
import { expect, test } from "vitest";
import { packageRoot } from "../harness/host/package.ts";

interface Locked {
  version: string;
  dev?: boolean;
  engines?: { node?: string };
  deprecated?: string;
  hasInstallScript?: boolean;
}

interface Package {
  engines: { node: string };
  optionalDependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(join(packageRoot, name), "utf8")) as unknown;

const { engines, optionalDependencies, devDependencies, allowScripts } = read(
  "package.json",
) as Package;
const lock = read("package-lock.json") as { packages: Record<string, Locked> };
const installed = Object.entries(lock.packages).filter(([path]) => path !== "");

const namesOf = (some: typeof installed): string[] =>
  some.map(([path]) => path.replace("node_modules/", ""));

test("all of them are for the oldest Node.js that is", () => {
  const oldest = minVersion(engines.node)!;
  const others = installed.filter(
    ([, { engines: { node = "*" } = {} }]) => !satisfies(oldest, node),
  );
  expect(namesOf(others)).toEqual([]);
});

test("none is deprecated", () => {
  expect(namesOf(installed.filter(([, { deprecated }]) => deprecated !== undefined))).toEqual([]);
});

test("of those with a script none reaches a user, and npm is told to leave it", () => {
  const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  expect(scripted.every(([, { dev }]) => dev === true)).toBe(true);
  expect(allowScripts).toEqual(Object.fromEntries(namesOf(scripted).map((name) => [name, false])));
});

test("what was built of koffi has the version of what calls it, and is for machines that koffi names", () => {
  const koffi = read("node_modules/koffi/package.json") as Package & Locked;
  expect(koffi.version).toBe(devDependencies["koffi"]);
  expect(koffi.optionalDependencies).toMatchObject(optionalDependencies);
});
