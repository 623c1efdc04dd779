/**
 * Where a user-mode Linux has its memory: in a file that it maps, also to execute, in a folder which
 * it looks for. One that is too small kills it in the middle of a case, as if the kernel under test
 * had died.
 *
 * Source: arch/um/os-Linux/mem.c choose_tempdir(), check_tmpexec().
 */
import { readFileSync, statSync, statfsSync } from "node:fs";
import { EnvironmentError } from "../case/failure.ts";

/** statfs(2), TMPFS_MAGIC. */
const TMPFS = 0x01021994;

const MIB = 2 ** 20;

type Env = Readonly<Record<string, string | undefined>>;

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** The folder that it takes. */
function folderOf(env: Env): string {
  const named = ["TMPDIR", "TMP", "TEMP"].map((name) => env[name] ?? "");
  const first = named.find((path) => path !== "");
  if (first !== undefined) return first;
  return isFolder("/dev/shm") && statfsSync("/dev/shm").type === TMPFS ? "/dev/shm" : "/tmp";
}

/** Whether nothing may be executed there. */
function isNoexec(folder: string): boolean {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, point = ""]) => `${folder}/`.startsWith(point.endsWith("/") ? point : `${point}/`));
  const longest = Math.max(...mounts.map(([, point = ""]) => point.length));
  // Of several at one place the last hides the others.
  const [, , , options = ""] = mounts.findLast(([, point = ""]) => point.length === longest) ?? [];
  return options.split(",").includes("noexec");
}

const lacking = (folder: string, what: string): EnvironmentError =>
  new EnvironmentError(
    "machine-lacks",
    `a user-mode Linux has its memory in ${folder}, which ${what}`,
    "Set TMPDIR to a folder that has room and lets programs execute, give a guest less (--memory MIB), or start the container with --tmpfs /dev/shm:exec,size=2g.",
  );

/** What a guest of so much memory lacks here; undefined where it has it. */
export function memoryLacks(
  memoryMiB: number,
  env: Env = process.env,
): EnvironmentError | undefined {
  const folder = folderOf(env);
  if (!isFolder(folder)) return lacking(folder, "is no folder");
  const { bavail, bsize } = statfsSync(folder);
  const free = Math.floor((bavail * bsize) / MIB);
  const noexec = isNoexec(folder);
  if (!noexec && free >= memoryMiB) return undefined;
  const lacks = [
    ...(noexec ? ["is mounted noexec"] : []),
    ...(free < memoryMiB ? [`has ${free} MiB free of the ${memoryMiB} that a guest is given`] : []),
  ];
  return lacking(folder, lacks.join(" and "));
}
