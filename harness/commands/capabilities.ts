/**
 * Capabilities: what can be done on this machine, and the command that does it, or that brings what
 * it lacks.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { EnvironmentError } from "../case/failure.ts";
import { ownCommand, ownSudoCommand } from "../host/own-command.ts";
import { memoryLacks } from "../guest/uml-memory.ts";
import { MEMORY_MIB } from "../guest/under-test.ts";
import { BUILD_PACKAGES, missingForBuild } from "../kernel-build/build.ts";
import { availableMemory } from "../subjects/workplace.ts";
import { lacksProgram } from "../system/process.ts";

/** Where the package user-mode-linux puts its kernel. */
export const DEBIAN_UML = "/usr/bin/linux.uml";

export interface Capability {
  name: string;
  is: boolean;
  /** Why not; absent where it can be done. */
  lacks?: string;
  /** What does it; or what brings what it lacks, as root. */
  command: string;
}

const able = (name: string, command: string): Capability => ({ name, is: true, command });

const unable = (name: string, lacks: string, command: string): Capability => ({
  name,
  is: false,
  lacks,
  command,
});

const install = (packages: readonly string[]): string => `apt-get install ${packages.join(" ")}`;

/** What takes something that is in Debian's packages. */
function withPackages(
  name: string,
  missing: readonly string[],
  packages: readonly string[],
  command: string,
): Capability {
  return missing.length === 0
    ? able(name, command)
    : unable(name, `no ${missing.join(", ")}`, install(packages));
}

const missingOf = (programs: readonly string[]): string[] =>
  programs.filter((program) => lacksProgram(program) !== undefined);

/** What brings what a run on this machine lacks. */
function remedyFor({ reason, remedy }: EnvironmentError): string {
  if (reason === "not-root") return ownSudoCommand(["run"]);
  if (reason === "missing-program") return install(["e2fsprogs", "mount", "util-linux"]);
  return reason === "no-loop-device" ? "modprobe loop" : remedy;
}

function onThisKernel(lacks: EnvironmentError | undefined): Capability {
  const name = "test the kernel that is running";
  return lacks === undefined
    ? able(name, ownCommand(["run"]))
    : unable(name, lacks.message, remedyFor(lacks));
}

/** What runs a bzImage. */
const QEMU = ["qemu-system-x86_64", "taskset"];
const QEMU_PACKAGES = ["qemu-system-x86", "util-linux"];

function inUserModeLinux(): Capability {
  const name = "test another kernel, as a user-mode Linux; without root";
  const uml = existsSync(DEBIAN_UML) ? [] : [DEBIAN_UML];
  const missing = [...uml, ...missingOf(["taskset"])];
  const small = memoryLacks(MEMORY_MIB);
  if (missing.length === 0 && small !== undefined) {
    return unable(name, small.message, "export TMPDIR=FOLDER");
  }
  const command = ownCommand(["run", "--kernel", DEBIAN_UML]);
  return withPackages(name, missing, ["user-mode-linux", "util-linux"], command);
}

function withKvm(): Capability {
  const name = "the same at full speed, by KVM";
  const missing = missingOf(QEMU);
  if (missing.length > 0) return unable(name, `no ${missing.join(", ")}`, install(QEMU_PACKAGES));
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return able(name, ownCommand(["run", "--kernel", "bzImage", "--accel", "kvm"]));
  } catch {
    return existsSync("/dev/kvm")
      ? unable(name, "/dev/kvm may not be opened", "usermod --append --groups kvm $USER")
      : unable(name, "no /dev/kvm", "modprobe kvm_intel || modprobe kvm_amd");
  }
}

/** Bytes of memory for an image of 256 MiB, its copy, and the process. */
const JOB_BYTES = 768 * 2 ** 20;

function inMemory(): Capability {
  const name = "keep images in memory, which is faster";
  const available = availableMemory();
  const jobs = Math.floor(available / JOB_BYTES);
  return jobs > 0
    ? able(name, ownCommand(["run", "--jobs", String(Math.min(jobs, availableParallelism()))]))
    : unable(name, `${Math.floor(available / 2 ** 20)} MiB are free`, "export TMPDIR=FOLDER");
}

/** What the running kernel lets somebody do who tests it. */
export interface TestHooks {
  pausedWrites: boolean;
  failNth: boolean;
}

function byKernel({ pausedWrites, failNth }: TestHooks): Capability[] {
  const built = ownCommand(["kernel", "build", "--source", "TREE", "--out", "FILE"]);
  const asked = [
    [
      "let a write sleep in a page fault on its buffer (paused_write)",
      pausedWrites,
      "userfaultfd(2)",
    ],
    [
      "let a memory allocation within a call fail (no memory)",
      failNth,
      "/proc/self/fail-nth: CONFIG_FAULT_INJECTION, CONFIG_FAILSLAB",
    ],
  ] as const;
  return asked.map(([name, is, what]) =>
    is ? able(name, ownCommand(["run"])) : unable(name, `no ${what}`, built),
  );
}

/**
 * All of them, what is asked for most first.
 *
 * @param lacks what keeps the main job from running here; undefined where nothing does
 * @param hooks of the running kernel; undefined where it cannot be asked
 */
export function capabilities(
  lacks: EnvironmentError | undefined,
  hooks: TestHooks | undefined,
): Capability[] {
  return [
    onThisKernel(lacks),
    inUserModeLinux(),
    withPackages(
      "test another kernel, as a bzImage in QEMU; without root",
      missingOf(QEMU),
      QEMU_PACKAGES,
      ownCommand(["run", "--kernel", "bzImage"]),
    ),
    withKvm(),
    withPackages(
      "build a kernel to be tested",
      missingForBuild(),
      BUILD_PACKAGES,
      ownCommand(["kernel", "build", "--source", "TREE", "--out", "FILE"]),
    ),
    withPackages(
      "say which lines of a kernel ran, by gcov",
      missingOf(["gcov"]),
      ["gcc"],
      ownCommand(["run", "--kernel", "FILE", "--coverage", "FOLDER"]),
    ),
    ...(hooks === undefined ? [] : byKernel(hooks)),
    withPackages(
      "compile a case that was exported as C",
      missingOf(["cc"]),
      ["gcc", "libc6-dev"],
      ownCommand(["export", "CASE", "--as", "c"]),
    ),
    withPackages(
      "run a case that was exported as a script",
      missingOf(["xfs_io", "python3"]),
      ["xfsprogs", "python3"],
      ownCommand(["export", "CASE", "--as", "sh"]),
    ),
    inMemory(),
  ];
}
