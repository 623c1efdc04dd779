/**
 * Programs, through execa: for set-up and checkpoints, never for a step.
 *
 * All of them run with LC_ALL=C, since their output is parsed, and with the sbin directories on
 * their path, which a root shell made with `su` may lack.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa, execaSync } from "execa";
import { EnvironmentError } from "../case/failure.ts";
import { endBySignal, endsPrograms } from "./undo.ts";

/** The Debian packages that hold the programs we start, for the remedy where one is missing. */
const PACKAGES: Record<string, string> = {
  "mkfs.ext4": "e2fsprogs",
  debugfs: "e2fsprogs",
  dumpe2fs: "e2fsprogs",
  e2fsck: "e2fsprogs",
  filefrag: "e2fsprogs",
  losetup: "mount (util-linux)",
  mount: "mount (util-linux)",
  umount: "mount (util-linux)",
  fallocate: "util-linux",
  taskset: "util-linux",
  "qemu-system-x86_64": "qemu-system-x86",
};

export interface ProcessResult {
  /** Exit status; undefined where a signal ended the process. */
  exitCode: number | undefined;
  stdout: string;
  /** One line, trimmed: the first that says something. */
  complaint: string;
  stderr: string;
}

const SYSTEM_PATH = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** Folders that programs are looked for in. */
export function searchPath(): string[] {
  const known = (process.env["PATH"] ?? "").split(":").filter((part) => part !== "");
  return [...new Set([...known, ...SYSTEM_PATH])];
}

export interface ProcessOptions {
  cwd?: string;
  /** What it reads from its standard input; nothing where that is not said. */
  input?: string;
}

function options({ input, ...rest }: ProcessOptions) {
  const env = { LC_ALL: "C", PATH: searchPath().join(":") };
  const given = input === undefined ? ({ stdin: "ignore" } as const) : { input };
  return { env, reject: false, ...given, ...rest } as const;
}

function missing(program: string): EnvironmentError {
  return new EnvironmentError(
    "missing-program",
    `${program} is not installed`,
    `Install the package ${PACKAGES[program] ?? "coreutils"}.`,
  );
}

/** Why a program cannot be run, or undefined where it is installed. */
export function lacksProgram(program: string): EnvironmentError | undefined {
  const found = searchPath().some((directory) => existsSync(join(directory, program)));
  return found ? undefined : missing(program);
}

/** What execa's results and errors have in common, as far as we look at it. */
interface Ended {
  exitCode?: number | undefined;
  code?: string | undefined;
  signal?: string | undefined;
  stdout?: string;
  stderr?: string;
}

function resultOf(program: string, ended: Ended): ProcessResult {
  // Ctrl-C goes to the whole process group: the program's end is the first that we hear of it.
  if (endsPrograms(ended.signal)) endBySignal(ended.signal);
  if (ended.exitCode === undefined && ended.code === "ENOENT") {
    throw missing(program);
  }
  const stdout = ended.stdout ?? "";
  const stderr = ended.stderr ?? "";
  const complaint = (stderr || stdout).split("\n").find((line) => line.trim() !== "") ?? "";
  return { exitCode: ended.exitCode, stdout, stderr, complaint: complaint.trim() };
}

/**
 * Runs a program to its end, whatever its exit status. Throws EnvironmentError where it is not
 * installed.
 */
export async function run(
  program: string,
  args: readonly string[],
  how: ProcessOptions = {},
): Promise<ProcessResult> {
  // No `cleanup`: execa's signal listeners would wait for ours to end the process, and ours
  // (undo.ts) for them.
  return resultOf(program, await execa(program, args, { ...options(how), cleanup: false }));
}

/** As `run`, waiting: for what must happen on the way out of the process. */
export function runSync(
  program: string,
  args: readonly string[],
  how: ProcessOptions = {},
): ProcessResult {
  return resultOf(program, execaSync(program, args, options(how)));
}
