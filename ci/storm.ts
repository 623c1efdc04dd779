/**
 * A storm: runs that are killed at any moment, beside one that is not. It must end well, and
 * nothing of the others may be left.
 *
 *   npm run storm -- --kills 50 --container
 */
import { execa } from "execa";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Command } from "commander";
import { inContainer } from "../harness/host/container.ts";
import { leftBehind } from "../harness/workers/traces-left.ts";
import { textOf, treeOf } from "../harness/workers/held.ts";
import { packageRoot } from "../harness/host/package.ts";

const cli = join(packageRoot, "dist", "ext4-conform.js");

/**
 * Milliseconds after which a run is killed, at most: some are not up by then, some are in a
 * checkpoint.
 */
const MOST_MS = 4000;

/**
 * Milliseconds in which all that a run has started must end where the run was killed: a worker that
 * hears nothing is given ten seconds first (harness/run/parent.ts).
 */
const END_MS = 30_000;

/** Milliseconds between two looks at it. */
const LOOK_MS = 100;

/** Cases of each variant of a run that nobody disturbs: a few seconds. */
const CASES = 800;

/** What a run may not say because something of it was killed. */
const WRONG = /DIVERGES|NOT REPRODUCED|the kernel (?:hung|went down)|bug of this tool/;

interface Storm {
  kills: number;
  container: boolean;
  variant: string;
}

const folder = mkdtempSync(join(tmpdir(), "conform-storm-"));

/** A run that ends where `limit` says. */
function start({ container, variant }: Storm, limit: "--seconds" | "--cases", most: number) {
  const options = { reject: false, cwd: folder } as const;
  const args = [cli, "run", "--variant", variant, limit, String(most)];
  return container
    ? execa(...inContainer(["node", ...args]), options)
    : execa("node", args, options);
}

/**
 * Kill a run, or something of it, some time after it has started; the pids that it had, and what
 * was wrong with its end.
 */
async function strike(storm: Storm): Promise<{ pids: number[]; wrong: string[] }> {
  const run = start(storm, "--seconds", 60);
  await setTimeout(randomInt(0, MOST_MS));
  const pids = treeOf(run.pid!);
  const victim = pids[randomInt(0, pids.length)]!;
  try {
    process.kill(victim, "SIGKILL");
  } catch {
    // It has ended.
  }
  // The last one to be waited for may be in its own clean-up; what lives on after that is a run
  // that was not struck.
  const ended = await Promise.race([run, setTimeout(10_000)]);
  if (ended === undefined) run.kill("SIGKILL");
  const { stdout, stderr } = ended ?? (await run);
  const said = `${stdout}${stderr}`;
  return { pids, wrong: WRONG.test(said) ? [`after a kill: ${said}`] : [] };
}

/**
 * Run after run that nobody disturbs, until `over` is aborted: how many, and what was wrong with
 * them.
 */
async function witness(
  options: Storm,
  over: AbortSignal,
): Promise<{ runs: number; wrong: string[] }> {
  const wrong: string[] = [];
  let runs = 0;
  while (!over.aborted) {
    // Not seconds: on a machine that has much to do hardly a case may fit into a few of them.
    const { exitCode, stdout, stderr } = await start(options, "--cases", CASES);
    runs += 1;
    if (exitCode !== 0) wrong.push(`status ${exitCode} undisturbed: ${stdout}${stderr}`);
  }
  return { runs, wrong };
}

/** Waits for the end of processes, as zombies have it; those that have not ended by then. */
async function untilGone(pids: readonly number[]): Promise<number[]> {
  const latest = performance.now() + END_MS;
  for (;;) {
    const alive = pids.filter((pid) => textOf(`/proc/${pid}/mountinfo`) !== "");
    if (alive.length === 0 || performance.now() > latest) return alive;
    await setTimeout(LOOK_MS);
  }
}

async function storm(options: Storm): Promise<string[]> {
  const over = new AbortController();
  const beside = witness(options, over.signal);
  const struck: Awaited<ReturnType<typeof strike>>[] = [];
  for (let i = 0; i < options.kills; i++) struck.push(await strike(options));
  over.abort();
  const { runs, wrong } = await beside;
  const pids = struck.flatMap((one) => one.pids);
  const alive = await untilGone(pids);
  // Whatever starts next sweeps the folders of those that had no chance to.
  await execa("node", [cli, "doctor"], { reject: false });
  const left = pids.flatMap(leftBehind);
  const all = [
    ...wrong,
    ...struck.flatMap((one) => one.wrong),
    ...alive.map((pid) => `process ${pid} did not end`),
    ...left.map((one) => `left behind: ${one}`),
  ];
  process.stdout.write(`${options.kills} kills, ${runs} runs beside them, ${all.length} wrong\n`);
  return all;
}

const program = new Command("storm")
  .option("--kills <n>", "runs that are killed", Number, 50)
  .option("--container", "each run in a container of its own", false)
  .option("--variant <names>", "as of run", "4k-delalloc,4k-thin");

try {
  const wrong = await storm(program.parse().opts<Storm>());
  for (const one of wrong) process.stdout.write(`${one}\n`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
