/**
 * The action of action.yml, its steps run here one after the other as a runner of GitHub does.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withoutMounts } from "../../harness/host/built-command.ts";
import { packageRoot } from "../../harness/host/package.ts";
import type { Outcome } from "../../harness/report/outcome.ts";
import { jsonFaults, junitFaults } from "../../harness/report/validators.ts";
import { machineLacks } from "../../harness/system/machine.ts";
import { treeOfNothing } from "./built-of-nothing.ts";
import { runComposite } from "./composite.ts";
import type { Machine, Ran } from "./composite.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const UML = process.env["EXT4_CONFORM_UML"] ?? "/usr/bin/linux.uml";
const BUILDERS = ["make", "gcc", "flex", "bison", "bc", "git"];
const inPath = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, program)));
const lacking = [...BUILDERS.filter((one) => !inPath(one)), ...(existsSync(UML) ? [] : [UML])];
if (lacking.length > 0) console.warn(`SKIP: no kernel is built without ${lacking.join(", ")}`);

let folder = "";
const inside = (...path: string[]): string => join(folder, ...path);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "conform-action-"));
  for (const name of ["workspace", "temp", "cache", "artifacts", "bin"]) mkdirSync(inside(name));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the actions that it uses do, on this machine. */
const standIns: Machine["standIns"] = {
  // The Node.js that is here.
  "actions/setup-node": () => ({}),
  "actions/cache/restore": ({ path = "", key = "" }) => {
    const hit = existsSync(inside("cache", key));
    if (hit) cpSync(inside("cache", key), path);
    return { "cache-hit": String(hit) };
  },
  "actions/cache/save": ({ path = "", key = "" }) => {
    cpSync(path, inside("cache", key));
    return {};
  },
  "actions/upload-artifact": ({ name = "", path = "" }) => {
    cpSync(path, inside("artifacts", name), { recursive: true });
    return {};
  },
};

const machine = (): Machine => ({
  actionPath: packageRoot,
  workspace: inside("workspace"),
  temp: inside("temp"),
  env: { XDG_CACHE_HOME: inside("objects") },
  standIns,
});

const act = (inputs: Record<string, string>, others: Partial<Machine> = {}): Promise<Ran> =>
  runComposite({ ...machine(), ...others }, inputs);

const SMALL = { variants: "4k-nodelalloc", cases: "5", seed: "7" };

/** What went into an artifact, which each of its readers takes. */
async function reported(artifact: string): Promise<Outcome> {
  const text = (name: string): string => readFileSync(inside("artifacts", artifact, name), "utf8");
  expect(await junitFaults(text("report.xml"))).toEqual([]);
  expect(jsonFaults(text("report.json"), "outcome")).toEqual([]);
  expect(jsonFaults(text("result.json"), "result")).toEqual([]);
  expect(text("report.html")).toMatch(/^<!doctype html>/i);
  return JSON.parse(text("report.json")) as Outcome;
}

describe.skipIf(lacks !== undefined)("the action, on this kernel", () => {
  test("says what the machine can do, runs, and reports in every form", async () => {
    const { failed, outputs, logs, summary } = await act(SMALL);
    expect([...logs.keys()]).toEqual([
      "actions/setup-node",
      "Install what the machine lacks",
      "Install ext4-conform",
      "Look what the machine can do",
      "Run",
      "actions/upload-artifact",
    ]);
    expect(logs.get("Look what the machine can do")).toContain("can be tested here");
    expect(failed).toBe(false);
    expect(outputs).toMatchObject({
      verdict: "conforms",
      findings: "0",
      seed: "7",
      kernel: "host",
    });
    expect(summary).toContain("| 4k-nodelalloc | pass |");
    expect(await reported("ext4-conform")).toMatchObject({ verdict: "conforms", seed: 7 });
  });

  test("fails where it finds something, says so in annotations, and takes it as accepted", async () => {
    const strict = { variants: "4k-delalloc", cases: "20", seed: "7", strict: "true" };
    const found = await act({ ...strict, artifact: "found" });
    expect(found.failed).toBe(true);
    expect(found.outputs["verdict"]).toBe("diverges");
    expect(Number(found.outputs["findings"])).toBeGreaterThan(0);
    expect(found.logs.get("Run")).toMatch(/^::error title=4k-delalloc%3A /m);
    expect((await reported("found")).verdict).toBe("diverges");

    const saved = inside("artifacts", "found", "counterexamples");
    const accept = readdirSync(saved).map((name) => join(saved, name));
    const again = await act({ ...strict, accept: `${accept.join("\n")}\n`, artifact: "" });
    expect({ ...again.outputs, failed: again.failed }).toMatchObject({
      verdict: "conforms",
      findings: "0",
      failed: false,
    });
    expect([...again.logs.keys()]).not.toContain("actions/upload-artifact");
  });

  test("takes the seed from the commit, and a shard of a campaign", async () => {
    const { failed, outputs } = await act({
      ...SMALL,
      cases: "150",
      seed: "",
      shard: "2/3",
      artifact: "",
    });
    expect(failed).toBe(false);
    expect(outputs["seed"]).toBe(String(0x0123456));
  });

  test("fails on a machine that cannot, or passes it over where that is asked for", async () => {
    const fails = await act({ ...SMALL, artifact: "" }, { through: withoutMounts });
    expect(fails.logs.get("Look what the machine can do")).toContain("cannot be tested here");
    expect(fails).toMatchObject({ failed: true, outputs: { verdict: "skipped", findings: "0" } });
    const passes = await act({ ...SMALL, skip: "pass", artifact: "" }, { through: withoutMounts });
    expect(passes).toMatchObject({ failed: false, outputs: { verdict: "skipped" } });
  });

  test("is wrong usage where an input is, with no verdict", async () => {
    const { failed, outputs, logs } = await act({ ...SMALL, variants: "4k-nothing", artifact: "" });
    expect(logs.get("Run")).toContain("4k-nothing");
    expect(failed).toBe(true);
    expect(outputs).toMatchObject({ verdict: "error", findings: "0" });
  });
});

describe.skipIf(lacking.length > 0)("the action, with a kernel of its own", () => {
  test("builds it once for the same source, and anew after a change", async () => {
    const tree = inside("workspace", "linux");
    treeOfNothing(tree, UML);
    const inputs = { ...SMALL, source: "linux" };
    const first = await act({ ...inputs, artifact: "first" });
    expect(first.logs.get("Build the kernel")).toContain("6.1.0-made-of-nothing");
    // Whether it conforms is its own affair.
    expect(first.outputs["verdict"]).toMatch(/^(?:conforms|diverges)$/);
    expect(first.failed).toBe(first.outputs["verdict"] !== "conforms");
    const file = first.outputs["kernel"]!;
    expect((await reported("first")).kernel).toMatchObject({ kind: "user-mode Linux", what: file });

    // It does not come to a run again: what is before that is what matters.
    const later = { ...inputs, variants: "4k-nothing", artifact: "" };
    rmSync(file);
    const second = await act(later);
    expect([...second.logs.keys()]).not.toContain("Build the kernel");
    expect(readFileSync(file).equals(readFileSync(UML))).toBe(true);

    writeFileSync(join(tree, "fs/ext4/inode.c"), "/* another */\n");
    const third = await act(later);
    expect([...third.logs.keys()]).toContain("Build the kernel");
    expect(readdirSync(inside("cache"))).toHaveLength(2);
  });
});

describe("a machine that has nothing", () => {
  test("gets the packages that it lacks, and the action is built", async () => {
    // In place of the system's, from which nothing is to be taken away.
    for (const name of ["apt-get", "npm"]) {
      writeFileSync(inside("bin", name), '#!/bin/bash\necho "${0##*/} $*"\n', { mode: 0o755 });
    }
    symlinkSync("/bin/bash", inside("bin", "bash"));
    const actionPath = inside("fresh");
    mkdirSync(actionPath);
    cpSync(join(packageRoot, "action.yml"), join(actionPath, "action.yml"));
    const env = { PATH: inside("bin") };
    const { logs, failed } = await act({ source: "linux", artifact: "" }, { actionPath, env });
    const apt = logs.get("Install what the machine lacks")!;
    expect(apt).toMatch(/^apt-get update -qq\n/);
    expect(apt).toMatch(/install .* gcc .*flex bison bc git$/);
    expect(logs.get("Install ext4-conform")).toBe("npm ci --no-audit --no-fund");
    // Nothing was installed.
    expect(failed).toBe(true);
  });
});
