/**
 * `ext4-conform doctor`: what this machine and its kernel can do.
 */
import { changeNames, changes } from "../../model/kernels/changes.ts";
import type { Change } from "../../model/kernels/changes.ts";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { EnvironmentError } from "../case/failure.ts";
import { failNth } from "../system/fail-nth.ts";
import { pausedWriter } from "../system/paused-writer.ts";
import { probeKernel } from "../subjects/probe.ts";
import { ownCommand } from "../host/own-command.ts";

const yesNo = (value: boolean): string => (value ? "yes" : "no");

/** Print it; 0 where the main job can run here, 4 where it cannot. */
export async function doctor(): Promise<ExitStatus> {
  try {
    const traits = await probeKernel();
    const facts: [string, string][] = [
      ["kernel", traits.release],
      ["own ext4 can be made and mounted", "yes"],
      ["extent status cache can be read", yesNo(traits.cacheIoctl)],
      ["page cache can be counted (cachestat)", yesNo(traits.cachestat)],
      ["kernel log can be read", yesNo(traits.kernelLog)],
      ["writes can be paused (userfaultfd)", yesNo(pausedWriter() !== undefined)],
      ["allocations can fail (fail-nth)", yesNo(failNth() !== undefined)],
      ["buffered_iomap is offered", yesNo(traits.bufferedIomap)],
    ];
    for (const name of changeNames) {
      const { does, path, recorded }: Change = changes[name];
      if (recorded || (path === "iomap" && !traits.bufferedIomap)) continue;
      facts.push([does, yesNo(traits.changes.includes(name))]);
    }
    for (const [name, value] of facts) process.stdout.write(`${name.padEnd(58)} ${value}\n`);
    process.stdout.write(`The main job can run here: ${ownCommand(["run"])}\n`);
    return exitStatus.conforms;
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    process.stdout.write(`The main job cannot run here: ${error.message}.\n${error.remedy}\n`);
    return exitStatus.cannotRun;
  }
}
