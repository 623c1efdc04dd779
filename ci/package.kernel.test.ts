/**
 * The package as it is given away: packed, installed in an empty project and for a whole machine,
 * in folders with a space in their names, and used from there, by root and by others.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../harness/host/package.ts";
import { linksIn } from "./documents/links.ts";
import { asNobody } from "../harness/host/built-command.ts";
import { machineLacks } from "../harness/system/machine.ts";

const MB = 1e6;

const read = (name: string): string => readFileSync(join(packageRoot, name), "utf8");
const { version } = JSON.parse(read("package.json")) as { version: string };

const library = read("docs/library.md");

/** What the document says to type: what installs it, and what runs the example of a recording. */
const [install, ofRecording] = [...library.matchAll(/^```sh\n(.*?)\n```$/gms)].map(
  ([, command]) => command!,
) as [string, string];

/** The examples of the document, by the module that each is about: the last that it imports. */
const examples = new Map(
  [...library.matchAll(/^```js\n(.*?)^```$/gms)].map(([, text]) => {
    const [, module] = [...text!.matchAll(/from "ext4-conform\/(\w+)"/g)].at(-1)!;
    return [module!, text!];
  }),
);

/** A user-mode Linux. */
const guest = process.env["EXT4_CONFORM_UML"] ?? "/usr/bin/linux.uml";
const guestLacks = existsSync(guest) ? undefined : `there is no ${guest}`;

const machine = machineLacks()?.message;
for (const lacks of [machine, guestLacks]) if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

let folder = "";
let tarball = "";
let project = "";
let prefix = "";
/** What npm said. */
let said = "";

/** A command as a user types it, who has not started npm from these tests. */
async function shell(command: string, cwd: string): Promise<string> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:npm_|NODE_|VITEST)/.test(name)),
  );
  const quiet = { audit: "false", fund: "false", prefer_offline: "true", update_notifier: "false" };
  for (const [name, value] of Object.entries(quiet)) env[`npm_config_${name}`] = value;
  const { all } = await execa("sh", ["-c", command], { cwd, env, extendEnv: false, all: true });
  return all;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "conform package-"));
  chmodSync(folder, 0o755);
  project = join(folder, "a project");
  prefix = join(folder, "a prefix");
  for (const place of [project, prefix]) mkdirSync(place);
  // Whoever is not root writes what examples write.
  chmodSync(project, 0o777);
  await shell(`npm pack --ignore-scripts --pack-destination '${project}'`, packageRoot);
  tarball = join(project, `ext4-conform-${version}.tgz`);
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
  said = await shell(install, project);
  said += await shell(`npm install --global --prefix '${prefix}' '${tarball}'`, folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const command = (args: readonly string[], options: object = {}) =>
  execa(join(prefix, "bin", "ext4-conform"), args, { reject: false, ...options, cwd: project });

describe("the package", () => {
  test("is small, and has what a run reads and nothing of how it is made", async () => {
    expect(statSync(tarball).size).toBeLessThan(1.5 * MB);
    const { stdout } = await execa("tar", ["tzf", tarball]);
    const files = stdout.split("\n").map((file) => file.replace("package/", ""));
    const folders = new Set(
      files.map((file) => /^(?:dist|docs|properties)\/[^/.]+(?=\/)|^[^/]+/.exec(file)![0]),
    );
    expect([...folders].toSorted()).toEqual([
      "CHANGELOG.md",
      "CONTRIBUTING.md",
      "LICENSE",
      "README.md",
      "ci",
      "dist",
      "dist/library",
      "dist/types",
      "docs",
      "docs/deviations",
      "docs/schemas",
      "harness",
      "model",
      "package.json",
      "properties/corpus",
      "properties/traces",
    ]);
    expect(files.filter((file) => /[.]map$|[.]test[.]|(?<![.]d)[.]ts$/.test(file))).toEqual([]);
  });

  test("has what its documents lead to", () => {
    const installed = join(project, "node_modules", "ext4-conform");
    const names = readdirSync(installed, { recursive: true, encoding: "utf8" });
    const links = names
      .filter((name) => name.endsWith(".md"))
      .flatMap((name) => linksIn(readFileSync(join(installed, name), "utf8"), name));
    expect(links.length).toBeGreaterThan(50);
    const dead = links.filter(({ file }) => !existsSync(join(installed, file)));
    expect(dead.map(({ name, link }) => `${name}: ${link}`)).toEqual([]);
  });

  test("is installed without a warning", () => {
    expect(said).not.toMatch(/warn|deprecated/i);
  });

  test("is content to publint", async () => {
    const pkg = JSON.parse(read("package.json")) as Record<string, unknown>;
    const { messages } = await publint({ pkgDir: join(project, "node_modules", "ext4-conform") });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  test("has the licences of all that is packed into it", () => {
    const notices = read("dist/third-party-licenses.txt");
    for (const name of ["commander", "execa", "fast-check", "koffi", "zod"]) {
      expect(notices).toMatch(new RegExp(`^${name} [0-9.]+ \\(MIT\\)$`, "m"));
    }
  });
});

const fileOf = (module: string): string => join(project, `${module}.js`);

const example = (module: string, options: object = {}) =>
  execa("node", [fileOf(module)], { reject: false, ...options, cwd: project });

describe("its modules", () => {
  beforeAll(() => {
    for (const [module, text] of examples) writeFileSync(fileOf(module), text);
  });

  const works = { exitCode: 0, stderr: "" };
  const users = [
    ["root or whoever runs this", {}],
    ["nobody", asNobody],
  ] as const;
  test("each have an example", () => {
    expect([...examples.keys()].toSorted()).toEqual(["model", "operations", "run", "trace"]);
  });

  test.each(users)("work for %s as the examples say", async (_, user) => {
    expect(await example("model", user)).toMatchObject(works);
    expect(await example("operations", user)).toMatchObject(works);
    const options = { reject: false, ...user, cwd: project } as const;
    const { exitCode, stdout } = await execa("sh", ["-c", ofRecording], options);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/ 0 diverge/),
    });
    rmSync(join(project, "first-ten.jsonl.gz"));
  });

  test.skipIf(machine !== undefined)("run on this machine's kernel", async () => {
    const { exitCode, stdout, stderr } = await example("run");
    expect({ exitCode, stderr }).toEqual(works);
    expect(stdout).toMatch(/^4k-delalloc: \d+ cases\n[^]*^conforms$/m);
  });

  test("throw what says what is wrong", async () => {
    const text = `
      import { run } from "ext4-conform/run";
      const of = (options) => run(options).catch(({ name, message }) => console.log(name, message));
      await of({ variants: ["5k"] });
      await of({ jobs: 0 });`;
    writeFileSync(join(project, "wrong.mjs"), text);
    const { stdout } = await execa("node", ["wrong.mjs"], { cwd: project });
    expect(stdout).toMatch(/^UsageError there is no variant "5k".*\nUsageError .*jobs.* 1\b/);
  });

  test("of which the model stands alone", () => {
    const text = read("dist/library/model.js");
    expect(text).not.toMatch(/^import\b|\bimport\(|\brequire\(|\bprocess[.]|\bBuffer\b/m);
  });

  test.each([
    ["node16", "node16"],
    ["esnext", "bundler"],
  ])("have types, with %s and %s", async (module, moduleResolution) => {
    const compilerOptions = {
      module,
      moduleResolution,
      target: "es2022",
      strict: true,
      noEmit: true,
      allowJs: true,
      checkJs: true,
      typeRoots: [join(packageRoot, "node_modules", "@types")],
      types: ["node"],
    };
    const files = [...examples.keys()].map(fileOf);
    const config = join(project, `tsconfig.${moduleResolution}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions, files }));
    const tsc = join(packageRoot, "node_modules", ".bin", "tsc");
    const { stdout, exitCode } = await execa(tsc, ["-p", config], { reject: false });
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 0 });
  });
});

describe("its command", () => {
  test("says which it is, and what it can do", async () => {
    expect(await command(["--version"])).toMatchObject({ exitCode: 0, stdout: version });
    expect(await command(["--version"], asNobody)).toMatchObject({ exitCode: 0, stdout: version });
    const { stdout } = await command(["variants"], asNobody);
    expect(stdout).toMatch(/^ {2}4k-delalloc /m);
    expect((await command(["doctor"], asNobody)).stdout).toMatch(
      /^The kernel of this machine (?:can|cannot) be tested here/m,
    );
  });

  test("checks the recordings that it has, for nobody", async () => {
    const said = await shell("npm root --global --prefix ../a\\ prefix", project);
    const CONFORM = join(said, "ext4-conform");
    const [check] = /^ext4-conform trace check .*$/m.exec(read("README.md"))!;
    const env = { CONFORM, PATH: `${join(prefix, "bin")}:${process.env["PATH"]}` };
    const options = { ...asNobody, env, reject: false, cwd: project } as const;
    const { exitCode, stdout } = await execa("sh", ["-c", check], options);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^AGREES: the model with all 2 files/m),
    });
  });

  test("has a manual where man looks for it", () => {
    const page = readFileSync(join(prefix, "share", "man", "man1", "ext4-conform.1"), "utf8");
    expect(page).toContain(`"ext4\\-conform ${version}"`);
  });

  const cases = ["--variant", "4k-delalloc"];

  test.skipIf(machine !== undefined)("runs", async () => {
    const { exitCode, stdout } = await command(["run", "--cases", "20", "--seed", "7", ...cases]);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^4k-delalloc +buffer_head +\d+ [^]*^CONFORMS: /m),
    });
  });

  test.skipIf(process.geteuid?.() !== 0)("says to nobody that it takes root", async () => {
    const { exitCode, stderr } = await command(["run", ...cases], asNobody);
    expect({ exitCode, stderr }).toEqual({ exitCode: 4, stderr: expect.stringMatching(/^SKIP: /) });
  });

  test.skipIf(guestLacks !== undefined)("runs in a guest, for nobody", async () => {
    const args = ["run", "--kernel", guest, "--cases", "5", "--save", "of-nobody", ...cases];
    const { stdout } = await command(args, asNobody);
    // Which kernel that is, and what it shows, is not this test's business.
    expect(stdout).toMatch(/^4k-delalloc +.* +\d+ [^]*^(?:CONFORMS|DIVERGES): /m);
  });
});
