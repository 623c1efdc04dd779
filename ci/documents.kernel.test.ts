/**
 * The commands of the documents and the scripts of package.json, run as a user copies them: those
 * of `ext4-conform` from a folder outside the clone, after the line of the README that prepares a
 * shell, those of npm in the clone. What takes long is shortened by options at its end, and what is
 * not run says why.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { machineLacks } from "../harness/system/machine.ts";
import { packageRoot } from "../harness/host/package.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const read = (name: string): string => readFileSync(join(packageRoot, name), "utf8");

/** The documents for users. */
const names = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(packageRoot, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

/** How a command is run: with words in place of its own, with more at its end; or why it is not. */
interface How {
  instead?: readonly (readonly [string, string])[];
  more?: string;
  not?: string;
}

const BUILDS = "builds a kernel: minutes, and a source tree";
const NEEDS_BUILT = "runs in the kernel that the line before it builds";
const IN_PACKAGE = "is of a project with the package; ci/package.kernel.test.ts runs it";
const STRICT =
  "ext4-conform run --strict --variant 4k-delalloc --cases 20 --seed 7 --save accepted";
const QUICK = '--variant 4k-nodelalloc --cases 20 --save "$FOUND"';
const CASE = "case.json";

/** The distribution's user-mode Linux, in place of one that was built. */
const UML = "/usr/bin/linux.uml";

/** Of every document, by the command as it stands there. */
const commands: Readonly<Record<string, How>> = {
  "npm ci && npm run conform": { instead: [["npm ci && ", ""]], more: `-- ${QUICK}` },
  "npm ci && npm test": { not: "is what runs this test" },
  'ext4-conform trace check "$CONFORM"/properties/traces/everything/*.4k-delalloc.jsonl.br': {},
  "ext4-conform run": { more: QUICK },
  "ext4-conform explore": { more: '--variant 4k-delalloc --blocks 1 --save "$FOUND"' },
  "ext4-conform differences A B": {
    instead: [["A B", "4k-delalloc-iomap 4k-nodelalloc-iomap"]],
    more: "--depth 1",
  },
  "ext4-conform run --kernel FILE": { instead: [["FILE", UML]], more: QUICK },
  "ext4-conform kernel build": { not: BUILDS },
  // A bisection may be under way there: then it has to be named.
  "ext4-conform bisect-step": { more: `--kernel host ${CASE}` },
  "ext4-conform compare": { more: `--baseline host --candidate host ${QUICK}` },
  "ext4-conform merge FILE...": {
    instead: [["FILE...", "1.json 2.json"]],
    more: '--save "$FOUND"',
  },
  "ext4-conform compare --baseline host --candidate ./linux": {
    instead: [["./linux", "host"]],
    more: QUICK,
  },
  "ext4-conform replay FILE": { instead: [["FILE", CASE]] },
  "ext4-conform replay --strict --steps case.json": {},
  "ext4-conform replay --strict --steps counterexamples/4k-delalloc-map-55c07a.json": {
    instead: [["counterexamples/4k-delalloc-map-55c07a.json", CASE]],
  },
  "ext4-conform export FILE --as c": { instead: [["FILE", CASE]] },
  "ext4-conform explain short-write-keeps-reservation": {},
  "ext4-conform explain released-after-short-write": {},
  "ext4-conform explain ID": { instead: [["ID", "short-write-keeps-reservation"]] },
  "ext4-conform run --strict --accept counterexamples/4k-delalloc-map-55c07a.json": {
    // What the same run has found before.
    instead: [
      [
        "ext4-conform run --strict --accept counterexamples/4k-delalloc-map-55c07a.json",
        `${STRICT} || [ $? = 1 ]; ${STRICT} --accept accepted/*.json`,
      ],
    ],
  },
  "ext4-conform replay --strict counterexamples/4k-delalloc-map-55c07a.json --second-kernel /usr/bin/linux.uml":
    { instead: [["counterexamples/4k-delalloc-map-55c07a.json", CASE]] },
  "git clone URL ext4-conform && cd ext4-conform && npm ci": {
    not: "a clone, and `npm ci` in it, is where this test runs",
  },
  "ext4-conform run --strict --variant 4k-delalloc --seed 7 --cases 20": {
    // It diverges, and that is what the text goes on with.
    more: "|| [ $? = 1 ]",
  },
  "bin/ext4-conform run --strict --variant 4k-delalloc --seed 7 --cases 20": {
    instead: [["bin/", ""]],
    // It diverges, and that is what the next one tells.
    more: "|| [ $? = 1 ]",
  },
  "bin/ext4-conform export counterexamples/4k-delalloc-map-55c07a.json --as mail": {
    instead: [["bin/", ""]],
    more: "| grep '^int main'",
  },
  "ext4-conform export case.json --as c --out case.c": {},
  "ext4-conform export case.json --as fstest | git apply": { more: "--stat" },
  "cc -o case case.c && sudo ./case": { instead: [["sudo ", ""]] },
  "ext4-conform run --report html:report.html": { more: QUICK },
  "ext4-conform run --report junit:report.xml --report json:report.json --report github": {
    more: QUICK,
  },
  "ext4-conform trace check FILE...": { instead: [["FILE...", "recorded.jsonl.br"]] },
  "ext4-conform trace record --out FILE": {
    instead: [["FILE", "another.jsonl.gz"]],
    more: "--cases 20",
  },
  "ext4-conform variants": {},
  "ext4-conform doctor": {},
  "ext4-conform completion bash": {},
  "npm run bench": { more: "-- --brief" },
  "ext4-conform kernel build --source ~/linux --out ./linux": { not: BUILDS },
  "ext4-conform run --kernel ./linux": { instead: [["./linux", UML]], more: QUICK },
  [`git bisect run sh -c 'ext4-conform kernel build --source . --out /tmp/linux || exit 125
                      ext4-conform bisect-step --kernel /tmp/linux case.json'`]: {
    // Which takes minutes; the step is of this kernel instead. All commits are good but the last,
    // which was said to be bad.
    instead: [
      [
        "ext4-conform kernel build --source . --out /tmp/linux",
        "ext4-conform kernel config >config",
      ],
      [" --kernel /tmp/linux", " --kernel host"],
    ],
  },
  "ext4-conform kernel build --source ~/linux --patches 0015.patch --coverage --out ./linux": {
    not: BUILDS,
  },
  "ext4-conform run --kernel ./linux --coverage coverage --patch 0015.patch": { not: NEEDS_BUILT },
  "ext4-conform trace record --out 7.2-rc1.jsonl.br --variant 4k-delalloc --cases 2000": {
    more: "--cases 20",
  },
  "ext4-conform trace check 7.2-rc1.jsonl.br": {},
  "ext4-conform run --enumerate case.json --variant all": { more: '--save "$FOUND"' },
  "ext4-conform run --variant 4k-delalloc --cases 5000 --power-cuts 300": {
    more: '--cases 20 --save "$FOUND"',
  },
  "ext4-conform run --variant 1k-delalloc --cases 500 --deep-trees 1000 --statistics": {
    more: '--cases 10 --save "$FOUND"',
  },
  // Of docs/ci.md.
  "make -C tools/testing/selftests TARGETS=ext4-conform run_tests": {
    not: "is in a kernel's tree; ci/kselftest/kselftest.kernel.test.ts runs what it runs",
  },
  "podman build --file ci/campaign/Containerfile --tag ext4-conform .": {
    not: "needs a builder, and an image of Node.js from a registry",
  },
  "podman run --rm --tmpfs /dev/shm:exec,size=2g ext4-conform run --kernel /opt/linux": {
    not: "needs what the line before it builds",
  },
  "kubectl apply --filename ci/campaign/kubernetes.yaml": { not: "needs a cluster" },
  'ci/campaign/kubernetes-collect results || echo "ended with $?"': {
    not: "needs a cluster; ci/campaign/campaign.test.ts runs it with a stand-in for kubectl",
  },
  "ext4-conform merge results/shard-*.json": {
    instead: [["results/shard-*.json", "1.json 2.json"]],
    more: '--save "$FOUND"',
  },
  // Of docs/library.md.
  "npm install ./ext4-conform-0.1.0.tgz fast-check@4": { not: IN_PACKAGE },
  "node trace.js node_modules/ext4-conform/properties/traces/everything/buffer_head-6.18.4k-delalloc.jsonl.br":
    { not: IN_PACKAGE },
  // Of CONTRIBUTING.md.
  "npm test": { not: "is what runs this test" },
  "npm run check": { not: "`npm test` runs it first" },
  "npm run conform": { more: `-- ${QUICK}` },
  "npm run bench:traces": { more: "-- --brief" },
  "npm run storm -- --kills N": { instead: [["N", "1"]] },
  "npm run bench:kernels -- KERNEL...": { not: "needs another kernel; `--brief` is for one" },
  "npm run kernel-mutants -- --source DIR": { not: `${BUILDS}, 22 times` },
  "npm run seeded-bugs": {},
  "npm run schemas": { not: "ci/schemas.test.ts makes what it writes" },
  "npm run documents": { not: "ci/documents/generated.test.ts makes what it writes" },
  "npm run report-picture": {
    not: "writes pictures that the documents show; the tests look at them",
  },
  "npm run what-the-patch-changes": {
    not: "properties/what-the-patch-changes.test.ts makes what it writes",
  },
  "npm run format": { not: "`npm run check` says what it would change" },
};

/** Scripts of package.json that no document has in a table, and where they are run. */
const scripts: Readonly<Record<string, string>> = {
  dependencies: "`npm ci` runs it",
  prepack: "`npm pack` runs it",
  build: "`npm ci` and `npm test` run it",
  pretest: "`npm test` runs it",
  test: "is what runs this test",
  typecheck: "`npm run check` runs it",
  lint: "`npm run check` runs it",
  imports: "`npm run check` runs it",
  "format:check": "`npm run check` runs it",
  mutation: "an hour; its first run of the tests alone takes more than four minutes",
};

/** The line that prepares a shell, in the clone. */
const SETUP = 'export CONFORM=$PWD PATH="$PWD/bin:$PATH"';

/** Commands of the fenced blocks of a document; one that goes on in quotes is one. */
function blocksOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n(.*?)\n```$/gms)].map(([, block]) => block!);
  return blocks.flatMap((block) => block.split(/\n(?=\S)/));
}

/** Commands that begin a row of a table. */
function rowsOf(text: string): string[] {
  return [...text.matchAll(/^\| `((?:npm|ext4-conform) [^`]*)`/gm)].map(([, command]) => command!);
}

const documents = names.map(read).join("\n");
const found = [...new Set([...blocksOf(documents), ...rowsOf(documents)])];

let outside = "";
beforeAll(() => {
  outside = mkdtempSync(join(tmpdir(), "conform-documents-"));
});
afterAll(() => rmSync(outside, { recursive: true }));

/** Run a command as a user would who has prepared a shell in the clone and then gone elsewhere. */
async function shell(command: string): Promise<{ exitCode: number | undefined; said: string }> {
  const script = `${SETUP}\nFOUND=${outside}/found\ncd ${command.startsWith("npm ") ? "." : outside}\n${command}`;
  // What npm has set for the tests is not what a user has.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:npm_|NODE_|VITEST|CONFORM)/.test(name)),
  );
  const options = { cwd: packageRoot, env, extendEnv: false, reject: false, all: true } as const;
  const { exitCode, all } = await execa("bash", ["-e", "-c", script], options);
  return { exitCode, said: all };
}

function shortened(command: string, { instead = [], more = "" }: How): string {
  const words = instead.reduce((text, [from, to]) => text.replace(from, to), command);
  return more === "" ? words : `${words} ${more}`;
}

describe("the commands of the documents", () => {
  test("are all known here, and all that are known here are in the documents", () => {
    expect(found.filter((command) => command !== SETUP).toSorted()).toEqual(
      Object.keys(commands).toSorted(),
    );
    expect(found).toContain(SETUP);
  });

  test("and none of them, in any text, asks a registry for the program", () => {
    const texts = [
      ...names,
      "properties/traces/README.md",
      "harness/trace/FORMAT.md",
      "harness/report/README.md",
      "model/what-the-patch-changes.md",
      "ci/campaign/github-workflow.yml",
      "ci/campaign/kubernetes.yaml",
      "ci/campaign/Containerfile",
      "ci/campaign/kubernetes-collect",
      "ci/gitlab/ext4-conform.gitlab-ci.yml",
      "ci/kselftest/ext4_conform.sh",
      "action.yml",
    ].map(read);
    const warned = texts
      .join("\n")
      .replace(/Not `npx ext4-conform`: outside the clone npx asks/, "");
    expect(warned).not.toMatch(/npx|npm exec/);
  });
});

describe("the scripts of package.json", () => {
  test("are each in a table, or say here where they are run", () => {
    const { scripts: all } = JSON.parse(read("package.json")) as { scripts: object };
    const inTables = rowsOf(documents).flatMap((row) => /\bnpm run ([\w:-]+)/.exec(row)?.[1] ?? []);
    expect(Object.keys(all).toSorted()).toEqual(
      [...new Set([...inTables, ...Object.keys(scripts)])].toSorted(),
    );
  });
});

/** One part of the two of a campaign, for `merge`. */
const shard = (index: number): string =>
  `ext4-conform run ${QUICK} --cases 120 --seed 7 --shard ${index}/2 --result ${index}.json`;

/** A tree of somebody else's, in which it is bisected. */
const TREE = [
  "git init -q && git config user.name a && git config user.email a@example.org",
  "for i in 1 2 3; do git commit -q --allow-empty -m $i; done",
  "git bisect start HEAD HEAD~2",
].join("\n");

/** What the commands take: a case, a recording, two results. */
async function prepare(): Promise<void> {
  const write = { op: "pwrite", pos: 0, len: 8192, readable: 8192 };
  const stored = { format: "ext4-conform counterexample", version: 1, variant: "4k-nodelalloc" };
  writeFileSync(join(outside, CASE), JSON.stringify({ ...stored, operations: [write] }));
  const record = "ext4-conform trace record --out recorded.jsonl.br --cases 5";
  for (const command of [shard(1), shard(2), record, TREE]) {
    const { exitCode, said } = await shell(command);
    if (exitCode !== 0) throw new Error(`${command}\nended with ${exitCode}\n${said}`);
  }
}

const RUN_MS = 180_000;

const known = found.flatMap((command) => {
  const how = commands[command];
  return how === undefined ? [] : [{ command, how, name: shortened(command, how) }];
});

describe.skipIf(lacks !== undefined)("run as they are copied", { timeout: RUN_MS }, () => {
  beforeAll(prepare, RUN_MS);

  test.for(known)("$name", async ({ name, how: { not } }, { skip }) => {
    skip(not !== undefined, not);
    const { exitCode, said } = await shell(name);
    expect({ exitCode, said }).toEqual({
      exitCode: 0,
      said: expect.not.stringMatching(/npm (?:ERR|error)|not found/),
    });
  });
});
