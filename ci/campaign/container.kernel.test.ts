/**
 * The container of a campaign: what can be known of it without a builder, and its layout, with
 * nothing in it that only development needs.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { DockerfileParser } from "dockerfile-ast";
import { validate } from "dockerfile-utils";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { inContainer } from "../../harness/host/container.ts";
import { packageRoot } from "../../harness/host/package.ts";
import { machineLacks } from "../../harness/system/machine.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

/** Paths in the image. */
const INSTALLED = "/opt/ext4-conform";
const KERNEL = "/opt/linux";

const read = (name: string): string => readFileSync(join(packageRoot, name), "utf8");
const text = read("ci/campaign/Containerfile");
const file = DockerfileParser.parse(text);
const instructions = file.getInstructions();

const wordsOf = (keyword: string): string[][] =>
  instructions
    .filter((one) => one.getKeyword() === keyword)
    .map((one) => one.getArguments().map((word) => word.getValue()));

describe("the Containerfile", () => {
  test("is well formed, which a misspelling is not", () => {
    expect(validate(text)).toEqual([]);
    expect(validate(text.replace("WORKDIR /src", "WORKDIRS /src"))).not.toEqual([]);
  });

  test("names the version of what it begins with, and ends as an ordinary user", () => {
    const images = wordsOf("FROM").map(([image]) => image);
    for (const image of images) expect(image).toMatch(/^docker\.io\/library\/node:\d+-\w+-slim$/);
    expect(new Set(images).size).toBe(1);
    expect(wordsOf("USER")).toEqual([["1000:1000"]]);
  });

  test("takes into the image the package, and the kernel once", () => {
    const [clone, ...image] = wordsOf("COPY");
    expect(clone).toEqual([".", "."]);
    expect(image).toEqual([
      [INSTALLED, INSTALLED],
      ["linux", KERNEL],
    ]);
  });

  test("lets the builder have all that a build reads, and nothing that one writes", async () => {
    const ignored = read(".dockerignore").split("\n");
    for (const name of [".git", "node_modules", "dist"]) expect(ignored).toContain(name);
    // What git has and the builder gets none of is tests, and what only tests read.
    const { stdout } = await execa("git", ["ls-files"], { cwd: packageRoot });
    const kept = ignored.filter((line) => /^[\w.][\w./-]*$/.test(line));
    const hidden = stdout
      .split("\n")
      .filter((name) => kept.some((one) => name.startsWith(`${one}/`)));
    for (const name of hidden) expect(name).toMatch(/^(?:\.ci|properties\/traces)\//);
  });

  test("runs what the job for Kubernetes names", () => {
    const [job] = parseAllDocuments(read("ci/campaign/kubernetes.yaml"));
    const { spec } = job!.toJS() as { spec: { template: { spec: object } } };
    expect(spec.template.spec).toMatchObject({
      securityContext: { runAsUser: 1000, runAsGroup: 1000 },
      containers: [{ env: expect.arrayContaining([{ name: "KERNEL", value: KERNEL }]) }],
    });
  });
});

/** What npm packs, and what the lock file has for more than development, in a folder. */
async function install(to: string): Promise<void> {
  const pack = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout } = await execa("npm", pack, { cwd: packageRoot });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const lock = JSON.parse(read("package-lock.json")) as {
    packages: Record<string, { dev?: true }>;
  };
  const needed = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && !dev);
  for (const path of [...files.map((file) => file.path), ...needed.map(([name]) => name)]) {
    // The packages of other machines are not here.
    if (!existsSync(join(packageRoot, path))) continue;
    cpSync(join(packageRoot, path), join(to, path), { recursive: true });
  }
}

describe.skipIf(lacks !== undefined)("what is installed in it", () => {
  let folder = "";
  const inside = (path: string): string => join(folder, path);
  const [, , entry] = JSON.parse(
    instructions.find((one) => one.getKeyword() === "ENTRYPOINT")!.getArgumentsContent()!,
  ) as string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "conform-container-"));
    await install(inside(INSTALLED));
    const [, from, to] = /^RUN ln -s (\S+) (\S+)$/m.exec(text)!;
    chmodSync(inside(from!), 0o755);
    mkdirSync(dirname(inside(to!)), { recursive: true });
    symlinkSync(inside(from!), inside(to!));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const PATH = (): string => `${inside("/usr/local/bin")}:${process.env["PATH"]}`;

  test("is run by its entry point, in every form of report", async () => {
    const forms = ["html:r.html", "junit:r.xml", "ktap"].flatMap((form) => ["--report", form]);
    const words = ["run", "--variant", "4k-nodelalloc", "--cases", "5", ...forms];
    const options = { cwd: folder, env: { PATH: PATH() } };
    const { stdout } = await execa(entry!, words, options);
    expect(stdout).toContain("ok 1 ext4-conform run");
    for (const name of ["r.html", "r.xml"]) expect(existsSync(inside(name))).toBe(true);
  });

  test("ends when it is told to, as the first process of a container too", async () => {
    const words = [join(folder, "usr/local/bin", entry!), "run", "--variant", "4k-nodelalloc"];
    const [program, args] = inContainer([...words, "--result", "running.json"]);
    const container = execa(program, args, { cwd: folder, env: { PATH: PATH() }, reject: false });
    while (!existsSync(inside("running.json"))) await setTimeout(100);
    const children = `/proc/${container.pid}/task/${container.pid}/children`;
    process.kill(Number(readFileSync(children, "utf8")), "SIGTERM");
    expect((await container).exitCode).toBe(128 + 15);
  });
});
