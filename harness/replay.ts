/**
 * `ext4-conform replay FILE`: one stored case again, on a fresh image of its variant.
 */
import { Confirmation } from "./run/confirm.ts";
import { readCounterexample } from "./stored/counterexample.ts";
import { exitStatus } from "./exit-status.ts";
import type { ExitStatus } from "./exit-status.ts";
import { probeKernel } from "./kernel/probe.ts";
import { report } from "./report/report.ts";
import { wantsColour } from "./report/terminal.ts";

export interface ReplayOptions {
  file: string;
  /** Known deviations count as divergences. */
  strict: boolean;
}

/** Replay, print the report; the exit status. Throws UsageError where the file cannot be read. */
export async function replay({ file, strict }: ReplayOptions): Promise<ExitStatus> {
  const counterexample = readCounterexample(file);
  const { variant, operations, seed } = counterexample;
  const traits = await probeKernel();
  const confirmation = new Confirmation(variant, traits, strict);
  const found = await confirmation.run(operations);
  const kernel = { release: traits.release, path: "buffer_head" };
  if (found !== undefined) {
    const command = `npx ext4-conform replay${strict ? " --strict" : ""} ${file}`;
    const colour = wantsColour(process.stdout, process.env);
    process.stdout.write(report(found, { variant, kernel, seed, command, colour }));
    const named = (await confirmation.named(operations)) ?? [];
    if (named.length > 0) process.stdout.write(`  known as ${named.join(" and ")}\n`);
    process.stdout.write(`\nDIVERGES: ${file} (${variant.name})\n`);
    return exitStatus.diverges;
  }
  process.stdout.write(
    `CONFORMS: model and kernel ${traits.release} agree on all ${operations.length} operations of ${file} (${variant.name})\n`,
  );
  const named = strict ? [] : ((await confirmation.named(operations)) ?? []);
  if (named.length > 0) process.stdout.write(`known deviation: ${named.join(", ")}\n`);
  return exitStatus.conforms;
}
