/**
 * The command as a user meets it: real processes, the real kernel.
 */
import { execa } from "execa";
import { asNobody, builtCommand, hiddenFromNobody, unwrapped } from "../host/built-command.ts";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { machineLacks } from "../system/machine.ts";
import { leftBehind, mountsSeenBy } from "../workers/traces-left.ts";
import { readCorpus } from "../stored/corpus.ts";
import { corpusDirectory, packageRoot } from "../host/package.ts";

const lacks = machineLacks();
if (lacks !== undefined) console.warn(`SKIP: ${lacks.message}`);

const { folder, conform } = builtCommand("test");

/** Process ids of the workers of a run. */
async function workersOf(pid: number | undefined): Promise<number[]> {
  const { stdout } = await execa("ps", ["--ppid", String(pid), "-o", "pid="], { reject: false });
  return stdout.split("\n").filter(Boolean).map(Number);
}

/** Wait until `condition` holds. */
async function until(condition: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error("waited too long");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Milliseconds after which a mount is no longer one of those that only ask the kernel what it can
 * do.
 */
const STAYS_MS = 500;

/** The mount point of the image that a run's worker uses. */
async function mountOfWorker(pid: number | undefined): Promise<string> {
  let mount = "";
  let since = Date.now();
  await until(async () => {
    const workers = await workersOf(pid);
    const [worker] = workers;
    const [, mine] = worker === undefined ? [] : mountsSeenBy(worker);
    // The way there for those who do not see it.
    const now = mine === undefined ? "" : `/proc/${worker}/root${mine}`;
    if (now !== mount) since = Date.now();
    mount = now;
    return mount !== "" && Date.now() - since > STAYS_MS;
  }, 300_000);
  return mount;
}

/** Variant, path, cases, files checked on disk and result of each row of a verdict. */
function facts(out: string): string[] {
  const table = out.slice(0, out.indexOf("mounted with"));
  const rows = table.split("\n").filter((line) => /^(4k-|1k-)/.test(line));
  return rows.map((row) => {
    const cells = row.split(/\s+/);
    return `${cells[0]} ${cells[1]} ${cells[2]} ${cells.at(-2)} ${cells.at(-1)}`;
  });
}

/** What a verdict says below the table. */
function rest(out: string): string {
  return out.slice(out.indexOf("known deviations"));
}

describe("usage", () => {
  test.each([
    [
      "an unknown variant",
      ["run", "--variant", "8k-delalloc"],
      /no variant "8k-delalloc".*4k-delalloc/,
    ],
    ["no number", ["run", "--cases", "many"], /whole number/],
    ["a stored case and cases", ["run", "--cases", "5", "--enumerate", "x"], /cannot be used with/],
    ["an unknown command", ["walk"], /unknown command/],
    ["a file that is not there", ["replay", "nothing.json"], /nothing\.json/],
    ["a stored case that is generated", ["run", "x.json", "--cases", "5"], /it is: --cases is for/],
  ])("%s", async (_, args, message) => {
    const { exitCode, stderr } = await conform(args);
    expect(unwrapped(stderr)).toMatch(message);
    expect(exitCode).toBe(64);
  });

  test("a damaged counterexample names the place", async () => {
    const good = readFileSync(
      join(packageRoot, "properties/corpus/gap-brings-in-eof-folio.json"),
      "utf8",
    );
    const file = join(folder, "damaged.json");
    writeFileSync(file, good.replace('"len": 4096', '"len": -4096'));
    const { exitCode, stderr } = await conform(["replay", file]);
    expect(unwrapped(stderr)).toMatch(/damaged\.json.*operations\[1\]\.len/);
    expect(exitCode).toBe(64);
  });

  test("what tells two tables apart takes no kernel", async () => {
    const sides = ["4k-delalloc-iomap", "4k-nodelalloc-iomap"];
    const { exitCode, stdout } = await conform(["differences", ...sides, "--depth", "1"]);
    expect(stdout).toMatch(/^map: delayed \/ allocated +block 0 delayed +block 0 unwritten$/m);
    expect(exitCode).toBe(0);
    const bad = await conform(["differences", "4k-delalloc", "4k-delalloc@5.4"]);
    expect(unwrapped(bad.stderr)).toMatch(/there are: 6\.12/);
    expect(bad.exitCode).toBe(64);
  });

  test("help is worth reading, and is no error", async () => {
    const { exitCode, stdout } = await conform(["--help"]);
    expect(stdout).toMatch(/run .*replay .*variants .*doctor/s);
    expect(stdout).toMatch(/Exit status/);
    expect(exitCode).toBe(0);
  });
});

describe.skipIf(lacks !== undefined)("a machine that cannot", () => {
  test("not root", async ({ skip }) => {
    const hidden = await hiddenFromNobody();
    skip(hidden !== undefined, hidden);
    const { exitCode, stderr } = await conform(["run"], asNobody);
    expect(stderr).toMatch(/^SKIP: .*root/);
    expect(exitCode).toBe(4);
  });
});

/** The number that 1,234 stands for. */
const ungrouped = (text: string): number => Number(text.replaceAll(",", ""));

/** Edges that were driven of those that there are, by the table of an exploration. */
function drivenIn(stdout: string): { edges: number; driven: number } {
  const [, edges = "", driven = ""] =
    /^4k-delalloc +([\d,]+) +([\d,]+) +[\d.]+ % /m.exec(stdout) ?? [];
  return { edges: ungrouped(edges), driven: ungrouped(driven) };
}

/** Edges that a table says have diverged, and those of states behind them. */
function divergedIn(stdout: string): number[] {
  const [, diverged = "", behind = "0"] =
    /\n4k-delalloc: ([\d,]+) edges? diverged, and no walk went on from there; (?:([\d,]+) edges?)?/.exec(
      unwrapped(stdout),
    ) ?? [];
  return [diverged, behind].map(ungrouped);
}

/** "20 times": how often a known finding was met. */
const timesIn = (stdout: string): string | undefined =>
  /: (\d+ times), known/.exec(unwrapped(stdout))?.[1];

describe.skipIf(lacks !== undefined)("explore", () => {
  const args = ["explore", "--variant", "4k-delalloc", "--blocks", "1", "--save", folder];

  test("drives every edge of a small file, in shards as well", async () => {
    const whole = await conform(args);
    expect(whole.stdout).toMatch(/\n4k-delalloc .* closed at depth \d+\n/);
    expect(whole.stdout).toMatch(/\n4k-delalloc .* 100 % /);
    expect(unwrapped(whole.stdout)).toMatch(
      /\nCONFORMS: no unnamed divergence in [\d,]+ edges, 1 variant(; known: .*)?$/,
    );
    expect(whole.exitCode).toBe(0);
    const { edges, driven } = drivenIn(whole.stdout);
    expect(edges).toBeGreaterThan(400);
    expect(driven).toBe(edges);
    const shards = [
      await conform([...args, "--shard", "1/2"]),
      await conform([...args, "--shard", "2/2"]),
    ];
    const shares = shards.map(({ stdout }) => drivenIn(stdout).driven);
    expect(shares[0]! + shares[1]!).toBe(edges);
  });

  test("goes on from what it has driven, with as many jobs as there are then", async () => {
    const file = join(folder, "explored.json");
    const half = await conform([...args, "--shard", "1/2", "--resume", file]);
    expect(half.exitCode).toBe(0);
    const both = await conform([...args, "--resume", file, "--jobs", "2"]);
    expect(both.stdout).toMatch(/\n4k-delalloc .* 100 % /);
    const { edges, driven } = drivenIn(both.stdout);
    expect(driven).toBe(edges);
    const again = await conform([...args, "--resume", file]);
    // Nothing is left to be done.
    expect(again.stdout).toMatch(/\n4k-delalloc .* 100 % +0 +0 +0\n/);
    const other = await conform([...args, "--resume", file, "--alphabet", "bytes"]);
    expect(unwrapped(other.stderr)).toMatch(
      /is of another exploration: its alphabet is blocks, not bytes/,
    );
    expect(other.exitCode).toBe(64);
  });

  const strict = [...args, "--strict"];

  test("finds a known deviation at its shortest where that is none to expect, and drives all others", async () => {
    const { stdout, exitCode } = await conform(strict);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/\n> 0 {2}pwrite\(pos=0, len=4096, readable=0\)/);
    expect(stdout.match(/^FAIL/gm)).toHaveLength(1);
    const [diverged = 0, behind = 0] = divergedIn(stdout);
    expect(diverged).toBeGreaterThan(1);
    const { edges, driven } = drivenIn(stdout);
    expect(driven + diverged + behind).toBe(edges);
    expect(unwrapped(stdout)).toMatch(
      new RegExp(`4k-delalloc: ${diverged} times, known as short-write-keeps-reservation, `),
    );
    expect(unwrapped(stdout)).toMatch(
      /\nDIVERGES: in 1 of 1 variant; \d+ edges; not entered: what is behind \d+ edges that diverged, with \d+ edges of states to which nothing else leads$/,
    );
    expect(stdout).toMatch(/ closed at depth \d+, but for what is behind \d+ edges\n/);
  });

  test("goes on past what is accepted, and says so", async () => {
    const { stdout } = await conform(strict);
    const [, file = ""] = /replay --strict (\S+\.json)/.exec(stdout) ?? [];
    const accepted = await conform([...strict, "--accept", file]);
    expect(accepted.stdout).toMatch(/^Accepted in 4k-delalloc: block 0 is delayed/m);
    expect(unwrapped(accepted.stdout)).toMatch(
      /\nCONFORMS: no unnamed divergence in \d+ edges, 1 variant; not entered: .*; known: .*\.json\)$/,
    );
    expect(divergedIn(accepted.stdout)).toEqual(divergedIn(stdout));
    expect(accepted.exitCode).toBe(0);
  });

  test("knows what it had found when it goes on, and drives what diverged no second time", async () => {
    const file = join(folder, "found.json");
    const half = await conform([...strict, "--shard", "1/2", "--resume", file]);
    expect(half.exitCode).toBe(1);
    const both = await conform([...strict, "--resume", file]);
    const again = await conform([...strict, "--resume", file]);
    for (const { stdout, exitCode } of [both, again]) {
      expect(exitCode).toBe(1);
      expect(stdout).not.toMatch(/^FAIL/m);
      expect(stdout).toMatch(/^Found before in 4k-delalloc: block 0 is delayed/m);
      const { edges, driven } = drivenIn(stdout);
      const [diverged = 0, behind = 0] = divergedIn(stdout);
      expect(driven + diverged + behind).toBe(edges);
    }
    expect(timesIn(both.stdout)).toBeDefined();
    expect(timesIn(again.stdout)).toBe(timesIn(both.stdout));
    expect(again.stdout).toMatch(/ % +0 +0 +\d+\n/);
  });

  test("says which states one variant has and the other has not", async () => {
    const two = ["explore", "--variant", "4k-delalloc,4k-nodelalloc", "--blocks", "1"];
    const { stdout } = await conform([...two, "--save", folder]);
    expect(stdout).toMatch(/\n4k-nodelalloc beside 4k-delalloc: \d+ looks of both\n/);
    expect(stdout).toMatch(/\n {2}only 4k-delalloc: [1-9]\d*, the first d /);
  });

  test("draws the graph where it is small enough to be looked at", async () => {
    const svg = join(folder, "graph.svg");
    const { stdout } = await conform([...args, "--picture", svg]);
    expect(stdout).toContain(`\npicture: ${svg}\n`);
    expect(readFileSync(svg, "utf8")).toMatch(/^<\?xml[\s\S]*<svg/);
    const png = await conform([...args, "--picture", "graph.png"]);
    expect(png.stderr).toMatch(/graph\.png: a picture is a \.dot or a \.svg/);
    expect(png.exitCode).toBe(64);
  });

  test("has nothing to explore where the contract alone judges", async () => {
    const none = ["explore", "--variant", "4k-full", "--blocks", "1"];
    const { stderr, exitCode } = await conform([...none, "--save", folder]);
    expect(unwrapped(stderr)).toMatch(/4k-full: space runs out there, .* take another variant/);
    expect(exitCode).toBe(64);
  });

  test("says which alphabets there are", async () => {
    const { stderr, exitCode } = await conform([...args, "--alphabet", "all"]);
    expect(unwrapped(stderr)).toMatch(
      /there is no alphabet "all"; there are: blocks, bytes, unsynced/,
    );
    expect(exitCode).toBe(64);
  });
});

describe.skipIf(lacks !== undefined)("doctor", () => {
  test("tells what the machine lacks apart from what its kernel does", async () => {
    const { stdout, exitCode } = await conform(["doctor"]);
    expect(exitCode).toBe(0);
    const [here, seen, does, verdict] = stdout.split("\n\n");
    expect(here).toMatch(
      /^what can be done here: .*\n {2}yes {2}test the kernel that is running\n/,
    );
    expect(here).not.toMatch(/buffered_iomap|large folios/);
    expect(seen).toMatch(/^what kernel \d.* can be asked .*\n {2}yes {2}the extent status/);
    expect(does).toMatch(/^what kernels do .*\n {2}(yes|no ) {2}offers .* buffered_iomap, /);
    expect(does).not.toMatch(/cachestat|userfaultfd/);
    expect(verdict).toMatch(/^The kernel of this machine can be tested here:\n {2}\S/);
  });
});

describe.skipIf(lacks !== undefined)("run", () => {
  test("counts the cases that were asked for, and tries apart", async () => {
    const args = ["run", "--strict", "--variant", "4k-delalloc", "--cases", "10", "--seed", "7"];
    const { stdout } = await conform([...args, "--save", folder]);
    expect(stdout).toMatch(/^4k-delalloc +buffer_head +10 +[\d,]+ .* DIVERGES$/m);
    expect(unwrapped(stdout)).toMatch(
      /^DIVERGES: in 1 of 1 variant; 10 cases, \d+ tries to make them smaller, [\d,]+ operations$/m,
    );
  });

  test("the same seed gives the same operations and verdict, with one job and with two", async () => {
    const args = ["run", "--variant", "4k-delalloc,1k-nodelalloc", "--cases", "400", "--seed", "7"];
    const [one, again, two] = [
      await conform(args),
      await conform(args),
      await conform([...args, "--jobs", "2"]),
    ];
    const cases = 400 + readCorpus(corpusDirectory).length;
    expect(facts(one.stdout)).toEqual([
      // Of each chunk of 50 cases seven are kept, also those after the last full checkpoint.
      `4k-delalloc buffer_head ${cases} 56 conforms`,
      `1k-nodelalloc buffer_head ${cases} 56 conforms`,
    ]);
    expect(facts(again.stdout)).toEqual(facts(one.stdout));
    expect(rest(again.stdout)).toBe(rest(one.stdout));
    expect(two.exitCode).toBe(0);
    expect(rest(two.stdout).split("\n").at(-1)).toBe(rest(one.stdout).split("\n").at(-1));
  });

  test("says what the contract alone judged, and why", async () => {
    const result = join(folder, "promised.json");
    const asked = ["run", "--variant", "4k-full", "--cases", "1", "--result", result];
    const { stdout } = await conform(asked);
    expect(stdout).toMatch(/\njudged by the contract alone\n {2}4k-full: space runs out there, /);
    const merged = await conform(["merge", result]);
    expect(merged.stdout).toMatch(/\njudged by the contract alone\n {2}4k-full: /);
  });

  test("a finding is told when it is found, the run goes on, and accepts it next time", async () => {
    const flags = ["run", "--strict", "--variant", "1k-nodelalloc", "--seed", "7"];
    const save = join(folder, "accepted");
    let toldAt = 0;
    const running = conform([...flags, "--cases", "300", "--save", save]);
    running.stdout.on("data", (text: Buffer) => {
      if (toldAt === 0 && text.includes("FAIL")) toldAt = performance.now();
    });
    const found = await running;
    expect(toldAt).toBeGreaterThan(0);
    expect(performance.now() - toldAt).toBeGreaterThan(500);
    expect(found.exitCode).toBe(1);
    expect(found.stdout).toMatch(
      /\nfindings, the worst first\n {2}\S.*\n {4}1k-nodelalloc: \d+ cases?, /,
    );
    const files = readdirSync(save).map((name) => join(save, name));
    expect(files.length).toBe(found.stdout.match(/^FAIL/gm)?.length);
    const again = await conform([...flags, "--cases", "300", "--save", save]);
    expect(again.exitCode).toBe(1);
    expect(readdirSync(save)).toHaveLength(files.length);
    const accepting = ["--save", join(folder, "more"), "--accept", ...files];
    const accepted = await conform([...flags, "--cases", "100", ...accepting]);
    expect(unwrapped(accepted.stdout)).toMatch(/\nAccepted in 1k-nodelalloc: .* \(.*\.json\)\n/);
    expect(unwrapped(accepted.stdout)).toMatch(/: \d+ cases?, .*accepted by /);
    expect(accepted.stdout).not.toMatch(/^FAIL/m);
    expect(accepted.exitCode).toBe(0);
  });

  test("a file that does not say what was found cannot be accepted", async () => {
    const file = join(corpusDirectory, "short-write-after-zeroing.json");
    const text = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    const silent = join(folder, "silent.json");
    writeFileSync(silent, JSON.stringify({ ...text, divergence: undefined }));
    const { exitCode, stderr } = await conform(["run", "--accept", silent]);
    expect(exitCode).toBe(64);
    expect(unwrapped(stderr)).toMatch(/silent\.json does not say what was found; accept a file/);
  });

  test("--strict finds the known deviation, shrunk, named, saved, and replays it", async () => {
    const found = await conform(["run", "--strict", "--variant", "4k-delalloc", "--seconds", "10"]);
    expect(found.exitCode).toBe(1);
    expect(found.stdout).toMatch(
      /known as (short-write-keeps-reservation|failed-write-moves-size)/,
    );
    const listed = found.stdout.slice(
      found.stdout.indexOf("operations\n"),
      found.stdout.indexOf("after operation"),
    );
    expect(listed.match(/^[> ] +\d+ {2}/gm)?.length).toBeLessThanOrEqual(2);
    const file = /replay --strict (\S+\.json)/.exec(found.stdout)?.[1] ?? "";
    const strict = await conform(["replay", "--strict", file]);
    const instead = await conform(["run", "--strict", file]);
    expect([instead.stdout, instead.exitCode]).toEqual([strict.stdout, strict.exitCode]);
    expect(strict.stdout).toMatch(/^FAIL.*\n {2}known as .*\n\nDIVERGES: /s);
    expect(strict.exitCode).toBe(1);
    const steps = await conform(["replay", "--strict", "--steps", file]);
    expect(steps.exitCode).toBe(1);
    expect(steps.stdout).toMatch(/^step by step\n\n {2}0 {2}pwrite\(.*^FAIL {2}/ms);
    const lenient = await conform(["replay", file]);
    expect(unwrapped(lenient.stdout)).toMatch(/^CONFORMS.*\nknown deviation: /);
    expect(lenient.exitCode).toBe(0);
  });
});

describe.skipIf(lacks !== undefined)("what was not done as it stands", () => {
  test("is said by replay and counted by --statistics", async () => {
    const file = join(folder, "store-past-eof.json");
    const stored = { format: "ext4-conform counterexample", version: 1, variant: "4k-delalloc" };
    const operations = [
      { op: "pwrite", pos: 0, len: 5000, readable: 5000 },
      { op: "mmap_write", pos: 4990, len: 3000 },
      { op: "ftruncate", size: 9000 },
      { op: "pread", pos: 0, len: 9000 },
    ];
    writeFileSync(file, JSON.stringify({ ...stored, operations }));
    const { stdout, exitCode } = await conform(["replay", file]);
    expect(unwrapped(stdout)).toMatch(
      /^clamped: operation 1: mmap_write\(pos=4990, len=3000\) was asked for, mmap_write\(pos=4990, len=10\) was done: /m,
    );
    expect(unwrapped(stdout)).toMatch(
      /^CONFORMS: .* all 4 operations .*; 1 of them clamped, see above$/m,
    );
    expect(exitCode).toBe(0);
    const run = ["run", "--variant", "4k-delalloc", "--cases", "100", "--seed", "3"];
    const { stdout: told } = await conform([...run, "--statistics"]);
    expect(told).toMatch(
      /^not done as it stood +shortened +left out\n(?:.*\n)*mmap_write +\d+ +\d+/m,
    );
  });
});

describe.skipIf(lacks !== undefined)("nothing stays behind", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("after %s", async (signal) => {
    const run = conform(["run", "--variant", "4k-delalloc", "--seconds", "60"]);
    await mountOfWorker(run.pid);
    const workers = await workersOf(run.pid);
    run.kill(signal);
    const result = await run;
    expect(result.signal).toBe(signal);
    expect(workers.length).toBe(1);
    await expect.poll(() => workers.flatMap(leftBehind)).toEqual([]);
  });

  test("after kill -9 of the supervisor, or of everything and another start", async () => {
    const run = conform(["run", "--variant", "4k-delalloc", "--seconds", "60"]);
    await mountOfWorker(run.pid);
    const [worker] = await workersOf(run.pid);
    run.kill("SIGKILL");
    await run;
    await until(() => leftBehind(worker).length === 0, 300_000);

    const second = conform(["run", "--variant", "4k-delalloc", "--seconds", "60"]);
    await mountOfWorker(second.pid);
    const [victim] = await workersOf(second.pid);
    process.kill(victim ?? 0, "SIGKILL");
    await second;
    await conform(["doctor"]);
    await expect.poll(() => leftBehind(victim)).toEqual([]);
  });

  test("all fault points of a write of eight blocks, each cut at a boundary or a byte beside it", async () => {
    const file = join(folder, "eight.json");
    const write = { op: "pwrite", pos: 0, len: 32768, readable: 32768 };
    const stored = { format: "ext4-conform counterexample", version: 1, variant: "4k-delalloc" };
    writeFileSync(file, JSON.stringify({ ...stored, operations: [write] }));
    const args = ["run", "--enumerate", file, "--variant", "4k-nodelalloc,1k-delalloc"];
    const { stdout, exitCode } = await conform(args);
    // Three for each boundary but the first, which has no byte before it, and the last, which has
    // none after it and is no cut.
    expect(stdout).toMatch(/^4k-nodelalloc +\S+ +24 .* conforms$/m);
    expect(stdout).toMatch(/^1k-delalloc +\S+ +96 .* conforms$/m);
    expect(exitCode).toBe(0);
    const none = join(folder, "none.json");
    writeFileSync(none, JSON.stringify({ ...stored, operations: [{ op: "fsync" }] }));
    const refused = await conform(["run", "--enumerate", none]);
    expect(unwrapped(refused.stderr)).toMatch(/has no write that could end short/);
    expect(refused.exitCode).toBe(64);
  });

  test("a comparison of a kernel with itself finds nothing that changed", async () => {
    const both = ["--baseline", "host", "--candidate", "host"];
    const limits = ["--variant", "4k-delalloc", "--cases", "100", "--seed", "4"];
    const { stdout, exitCode } = await conform(["compare", ...both, ...limits]);
    // Where the allocator puts blocks is not the same twice: a few extents more or less, by less
    // than 2.5 %.
    const placed = String.raw`(?:same|[+-]\d+ \((?:<0\.1|[+-][012]\.\d) %\))`;
    const speed = String.raw`(?:same|[+-]\d+ %)`;
    const row = `^4k-delalloc +conforms +conforms +none +${placed} +${placed} +${speed}$`;
    expect(stdout).toMatch(new RegExp(row, "m"));
    expect(stdout).toMatch(/^NO WORSE: nothing new is wrong in 100 cases/m);
    expect(exitCode).toBe(0);
  });

  // Seen once beside other tests, and not understood: the worker ended after the thaw, but the
  // file system stayed active without a mount, and its loop device with it. It was not frozen, no
  // process had anything of it, and it could be mounted and unmounted again.
  test("a kernel that hangs is a finding with a time limit", { retry: 1 }, async () => {
    const run = conform(["run", "--variant", "4k-delalloc", "--seconds", "60", "--hang", "5"]);
    // Past the images that it probes the kernel on, which on a slow machine stay for a while too.
    await new Promise<void>((resolve) => run.stdout.once("data", () => resolve()));
    const mount = await mountOfWorker(run.pid);
    const [worker] = await workersOf(run.pid);
    // A frozen file system blocks every write, uninterruptibly: to the tool it looks as a deadlock
    // in ext4 would.
    await execa("fsfreeze", ["--freeze", mount]);
    // Another run that starts meanwhile may take the mount out of the tree, and the file system
    // would stay frozen for ever.
    const fd = openSync(mount, "r");
    const held = `/proc/${process.pid}/fd/${fd}`;
    try {
      const { exitCode, stdout } = await run;
      expect(stdout).toMatch(/the kernel hung/);
      expect(exitCode).toBe(1);
    } finally {
      await execa("fsfreeze", ["--unfreeze", held]);
      closeSync(fd);
    }
    await until(() => !existsSync(`/proc/${worker}`), 300_000);
    await conform(["doctor"]);
    await expect.poll(() => leftBehind(worker)).toEqual([]);
  });
});
