/**
 * `npm run bench:kernels -- KERNEL...`: from the command to the verdict of 1,000 cases in another
 * kernel, boot, probing and checkpoints included. Ends with status 1 where that takes longer than
 * it may.
 */
import { availableParallelism, tmpdir } from "node:os";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { kernelFileKind } from "../harness/guest/kernel-image.ts";
import { packageRoot } from "../harness/host/package.ts";
import { readResult } from "../harness/stored/result.ts";
import { BRIEF, median, table } from "./bench-measure.ts";

const CASES = BRIEF ? 20 : 1000;
const ROUNDS = BRIEF ? 1 : 3;

/**
 * Seconds that it may take: a program, and a machine that is emulated instruction by instruction.
 */
const LIMIT = { uml: 6, bzImage: 60 };

const cli = join(packageRoot, "dist", "ext4-conform.js");

interface Measured {
  /** As the run names it, with its release. */
  what: string;
  seconds: number[];
  limit: number;
}

async function measure(kernel: string, folder: string): Promise<Measured> {
  const result = join(folder, "result.json");
  const seconds: number[] = [];
  let what = "";
  for (let round = 1; round <= ROUNDS; round++) {
    const limits = ["--variant", "4k-delalloc", "--cases", String(CASES), "--seed", String(round)];
    const started = performance.now();
    const files = ["--result", result, "--save", folder];
    await execa("node", [cli, "run", "--kernel", kernel, ...limits, ...files]);
    seconds.push((performance.now() - started) / 1000);
    const { kernel: ran } = readResult(result);
    what = `${ran.release}, ${ran.kind}`;
  }
  return { what, seconds, limit: LIMIT[kernelFileKind(kernel)] };
}

const kernels = process.argv.slice(2).filter((word) => word !== "--brief");
if (kernels.length === 0) {
  process.stderr.write("usage: npm run bench:kernels -- [--brief] KERNEL...\n");
  process.exit(64);
}

const folder = mkdtempSync(join(tmpdir(), "conform-bench-"));
try {
  process.stdout.write(`${CASES} cases of 4k-delalloc, ${availableParallelism()} cores\n\n`);
  const all: Measured[] = [];
  for (const kernel of kernels) all.push(await measure(kernel, folder));
  const rows = all.map(({ what, seconds, limit }) => [
    what,
    median(seconds).toFixed(2),
    Math.min(...seconds).toFixed(2),
    String(limit),
  ]);
  process.stdout.write(`${table(["seconds", "median", "best", "may take"], rows)}\n`);
  if (all.some(({ seconds, limit }) => median(seconds) > limit)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
