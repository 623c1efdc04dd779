/**
 * For tests: what a process of ours has on this machine, as anybody else would find it.
 */
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout } from "node:timers/promises";
import { textOf, treeOf } from "./held.ts";

/**
 * Mount points of the tool that the process `pid` sees, the outermost first; none where it is gone.
 */
export function mountsSeenBy(pid: number | "self"): string[] {
  const points = textOf(`/proc/${pid}/mountinfo`)
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
  return points.filter((point) => point.includes("/ext4-conform-"));
}

/** Loop devices that hold a file of the process `pid`: "loop0". */
export function loopsOf(pid: number): string[] {
  return readdirSync("/sys/block").filter((name) =>
    textOf(`/sys/block/${name}/loop/backing_file`).includes(`ext4-conform-${pid}-`),
  );
}

/** Waits until a process of those that `pid` has started has an image; its pid. */
export async function workerWithImage(pid: number | undefined): Promise<number> {
  if (pid === undefined) throw new Error("the process did not start");
  for (;;) {
    const worker = treeOf(pid).find((one) => loopsOf(one).length > 0);
    if (worker !== undefined) return worker;
    await setTimeout(20);
  }
}

/** Folders of the process `pid`. */
export function foldersOf(pid: number): string[] {
  return ["/dev/shm", "/tmp", "/var/tmp", tmpdir()].flatMap((place) =>
    existsSync(place)
      ? readdirSync(place)
          .filter((name) => name.startsWith(`ext4-conform-${pid}-`))
          .map((name) => `${place}/${name}`)
      : [],
  );
}

/** All of it, in words: nothing where a process has left nothing. */
export function leftBehind(pid: number | undefined): string[] {
  if (pid === undefined) throw new Error("the process did not start");
  const mounts = mountsSeenBy("self").filter((point) => point.includes(`ext4-conform-${pid}-`));
  return [...mountsSeenBy(pid), ...mounts, ...loopsOf(pid), ...foldersOf(pid)];
}
