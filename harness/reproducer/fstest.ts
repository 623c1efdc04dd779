/**
 * A stored case as a test of xfstests: the test, and the output that a kernel which is right gives.
 * Its commands and looks are those of the script (sh-checks.ts), on what xfstests gives a test.
 *
 * What of it xfstests asks for is in its own common/preamble, common/rc and common/test_names.
 */
import { BUFFERED_IOMAP, LACKS_BUFFERED_IOMAP } from "../../images/variants.ts";
import type { Deviation } from "../../model/deviations/deviation.ts";
import { PAGE_SIZE } from "../../model/include/types.ts";
import { leavesFree } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import { UsageError } from "../case/failure.ts";
import { shellWord } from "../host/own-command.ts";
import { cannotInShell, inShell } from "../operations/in-shell.ts";
import type { Operation } from "../operations/operation.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { mkfsArguments } from "../subjects/mkfs.ts";
import { mountOptions } from "../subjects/mount.ts";
import { printable } from "../text/terminal.ts";
import { fillCommand, fillerCommand, isThin, leastSize } from "./file-system.ts";
import { headerOf } from "./header.ts";
import { mustBeExpressible, refusing } from "./refusals.ts";
import { check, openFirst, perform } from "./sh-checks.ts";
import type { Ground } from "./sh-ground.ts";
import { ShScript } from "./sh-script.ts";
import { looksAtBytes, operationsShown, symptomOf } from "./symptom.ts";
import type { Symptom } from "./symptom.ts";

/** What commands say is kept for whoever looks into a failure. */
const QUIET = " >>$seqres.full 2>&1";

const GROUND: Ground = {
  name: "a test of xfstests",
  mnt: "$SCRATCH_MNT",
  xfsIo: "$XFS_IO_PROG",
  python: "$PYTHON3_PROG",
  filefrag: "$FILEFRAG_PROG",
  reserved: "_get_fs_sysfs_attr $SCRATCH_DEV delayed_allocation_blocks",
  device: "$(_short_dev $SCRATCH_DEV)",
  unmount: "_scratch_unmount",
  mount: `_try_scratch_mount${QUIET}`,
  remount: "_scratch_remount delalloc",
  check: "_check_scratch_fs",
  quiet: QUIET,
  ignored: "",
  noted: "",
  giveUp: (why) => `_fail "${why}"`,
  prefersFallocate: false,
  own: (name) => `$tmp.${name}`,
  cut: {
    at: "$SCRATCH_MNT",
    cuts: [
      "# No more is written, as by a power cut; the mount replays the journal.",
      "_scratch_shutdown",
    ],
    mounts: ["_scratch_cycle_mount"],
    ends: [],
  },
  cutEndsMount: true,
};

/** What xfstests takes for the name of a test: three digits, which words may follow. */
const NAME = /^\d{3}-?[0-9A-Za-z-]*$/;

/** The greatest number of a test. */
const LAST = 999;

/**
 * The name of a test that is made of a case which is stored under that name, among others: its own
 * number where it is there, else the greatest that is free, since xfstests takes of several tests
 * of a number only one.
 *
 * @throws UsageError where all are taken
 */
export function fstestName(stored: string, others: readonly string[] = []): string {
  const words = stored.replaceAll(/[^0-9A-Za-z]+/g, "-").replaceAll(/^-+|-+$/g, "");
  const rest = ["", "ext4-conform", ...(words === "" ? [] : [words])].join("-");
  const same = others.find((name) => name.slice(3) === rest && NAME.test(name));
  if (same !== undefined) return same;
  const taken = new Set(others.map((name) => name.slice(0, 3)));
  for (let number = LAST; number > 0; number--) {
    const digits = String(number).padStart(3, "0");
    if (!taken.has(digits)) return `${digits}${rest}`;
  }
  throw new UsageError("there is a test of every number from 001 to 999 already");
}

/** Throws UsageError where xfstests would run no test of that name. */
export function mustBeTestName(name: string): void {
  if (NAME.test(name)) return;
  throw new UsageError(
    `xfstests runs no test that is called ${printable(name)}: a name is three digits, as 999, or 999-what-it-is-about`,
  );
}

/** Groups of the test, each once. */
function groupsOf(operations: readonly Operation[], symptom: Symptom): string[] {
  const own = operations.flatMap((one) => inShell(one).groups?.(one) ?? []);
  const cuts = symptom.place === "after a power cut" ? ["shutdown"] : [];
  const others = own.filter((group) => group !== "shutdown");
  return [...new Set(["auto", "quick", "rw", ...others, ...cuts])];
}

const takesCommand = (variable: string, name: string): string =>
  `_require_command "$${variable}" ${name}`;

/** What the test cannot do without, as its helpers say it. */
function requirements(script: ShScript, { place, takesLooks }: Symptom): string[] {
  const takesMap = script.has("map") || takesLooks;
  return [
    "_exclude_fs ext2",
    "_exclude_fs ext3",
    "_require_scratch",
    ...(place === "after a power cut" ? ["_require_scratch_shutdown"] : []),
    ...(script.has("reserved") ? ["_require_fs_sysfs delayed_allocation_blocks"] : []),
    ...(takesMap ? [takesCommand("FILEFRAG_PROG", "filefrag")] : []),
    ...(script.has("short_write") ? [takesCommand("PYTHON3_PROG", "python3")] : []),
    ...script.xfsIoCommands.map((one) => `_require_xfs_io_command ${one}`),
  ];
}

/** Why a kernel that is right need not mount it; undefined where it must. */
function mayBeRefused({ mountOptions: options, blockSize }: Variant): string | undefined {
  if (options.includes(BUFFERED_IOMAP)) return LACKS_BUFFERED_IOMAP.lacks;
  return blockSize > PAGE_SIZE ? "ext4 of this kernel has no blocks larger than a page" : undefined;
}

/** Lines that make and mount the file system of the case, whatever options a run has. */
function prepare(variant: Variant, fills: boolean): string[] {
  const { imageSize, blockSize } = variant;
  const least = leastSize(variant);
  const options = mountOptions(variant).join(",");
  const mkfs = mkfsArguments(variant, "").slice(4, -1).map(shellWord).join(" ");
  const size = least === undefined ? `${imageSize}` : `$((s > ${imageSize} ? s : ${imageSize}))`;
  const free = leavesFree(variant);
  const refused = mayBeRefused(variant);
  return [
    "# The file system of the case, whatever is asked of others.",
    "MKFS_OPTIONS=",
    `MOUNT_OPTIONS=${options === "" ? "" : `"-o ${options}"`}`,
    ...(least === undefined ? [] : ["n=$(nproc --all)", `s=$((${least}))`]),
    ...(fills ? [fillCommand(variant, "$SCRATCH_DEV", "notrunc,fsync")] : []),
    `_scratch_mkfs_sized ${size} ${blockSize} ${mkfs}${QUIET}`,
    refused === undefined ? "_scratch_mount" : `${GROUND.mount} || _notrun "${refused}"`,
    ...(free === undefined
      ? []
      : [fillerCommand(variant, free, "$SCRATCH_MNT"), "_scratch_cycle_mount"]),
  ];
}

/** A test, and its golden output. */
export interface Fstest {
  test: string;
  golden: string;
}

/**
 * The test and its golden output.
 *
 * @param running release of the running kernel, for a case that names none
 * @param name of the test, as 999 or 999-what-it-is-about
 * @param seeded as symptomOf() takes them
 * @throws UsageError where no test can do it, or show it, with one line that says what
 */
export function asFstest(
  counterexample: Counterexample,
  running: string,
  name: string,
  seeded: readonly Deviation[] = [],
): Fstest {
  const { variant } = counterexample;
  const operations = operationsShown(counterexample);
  const refuse = refusing(GROUND.name);
  mustBeTestName(name);
  mustBeExpressible(counterexample, operations, cannotInShell, refuse);
  if (isThin(variant)) refuse(`a case on ${variant.name}`, "no test may take room from its device");
  const symptom = symptomOf(counterexample, running, seeded);
  const script = new ShScript(GROUND);
  openFirst(script, counterexample);
  perform(script, counterexample, symptom);
  check(script, counterexample, symptom);
  const header = headerOf(counterexample, symptom, []);
  const test = [
    "#! /bin/bash",
    "# SPDX-License-Identifier: GPL-2.0",
    "#",
    `# FS QA Test ${name}`,
    "#",
    ...header.map((line) => `# ${line}`.trimEnd()),
    "#",
    ". ./common/preamble",
    `_begin_fstest ${groupsOf(operations, symptom).join(" ")}`,
    "",
    ...requirements(script, symptom),
    "",
    ...script.functions.flatMap((text) => [text, ""]),
    ...prepare(variant, looksAtBytes(symptom)),
    ...script.withoutResult(),
    "",
    'echo "Silence is golden"',
    "status=0",
    "exit",
    "",
  ].join("\n");
  return { test, golden: `QA output created by ${name}\nSilence is golden\n` };
}

/** A new file as a part of a patch. */
function added(path: string, text: string, mode: string): string[] {
  const lines = text.trimEnd().split("\n");
  return [
    `diff --git a/${path} b/${path}`,
    `new file mode ${mode}`,
    "--- /dev/null",
    `+++ b/${path}`,
    `@@ -0,0 +1,${lines.length} @@`,
    ...lines.map((line) => `+${line}`),
  ];
}

/** Both files as a patch of xfstests, which git apply takes. */
export function fstestPatch(name: string, { test, golden }: Fstest): string {
  const path = `tests/ext4/${name}`;
  return [...added(path, test, "100755"), ...added(`${path}.out`, golden, "100644"), ""].join("\n");
}
