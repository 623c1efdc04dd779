/**
 * What a test of xfstests takes from it, as far as ours do, for machines that have none: the
 * functions by their names and what they promise, on a loop device of our own. A test that calls
 * any other prints "command not found", and that is no golden output.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";

const PREAMBLE = String.raw`
_begin_fstest() {
	seq=$(basename "$0") seqres=$RESULT_DIR/$seq tmp=$RESULT_DIR/$$ status=1
	trap 'rm -rf "$tmp".*; exit $status' EXIT
	: >"$seqres.full"
	echo "QA output created by $seq"
}
_notrun() { echo "$*" >"$seqres.notrun"; status=0; exit; }
_fail() { echo "$*"; exit 1; }
_exclude_fs() { [ "$1" != "$FSTYP" ] || _notrun "$1"; }
_require_scratch() { [ -b "$SCRATCH_DEV" ] || _notrun "no scratch device"; }
_require_scratch_shutdown() { :; }
_require_fs_sysfs() { [ -d /sys/fs/ext4 ] || _notrun "$1"; }
_require_command() { [ -x "$1" ] || _notrun "no $2"; }
_require_xfs_io_command() { "$XFS_IO_PROG" -c "help $1" | grep -q "^$1 " || _notrun "no $1"; }
_short_dev() { basename "$1"; }
_get_fs_sysfs_attr() { cat "/sys/fs/ext4/$(_short_dev "$1")/$2"; }
_scratch_mkfs_sized() {
	size=$1 block=$2
	shift 2
	mkfs.ext4 -F $MKFS_OPTIONS -b "$block" "$@" "$SCRATCH_DEV" $((size / block)) || _notrun mkfs
}
_try_scratch_mount() { mount -t ext4 $MOUNT_OPTIONS "$@" "$SCRATCH_DEV" "$SCRATCH_MNT"; }
_scratch_mount() { _try_scratch_mount "$@" || _fail "mount failed"; }
_scratch_unmount() { umount "$SCRATCH_DEV"; }
_scratch_cycle_mount() { _scratch_unmount; _scratch_mount; }
_scratch_remount() { _try_scratch_mount -o "remount,$1"; }
_scratch_shutdown() { "$XFS_IO_PROG" -x -c shutdown "$SCRATCH_MNT"; }
_check_scratch_fs() {
	e2fsck -fn "$SCRATCH_DEV" >>"$seqres.full" 2>&1 || echo "the file system is damaged"
}
`;

/** In a mount namespace of its own: a scratch device, and the test as ./check runs it. */
const checkOf = (test: string): string => String.raw`#!/bin/bash
cd "$(dirname "$0")" || exit
if [ -z "$INSIDE" ]; then INSIDE=1 exec unshare --mount "./check"; fi
mount -t tmpfs tmpfs room
truncate -s 2G room/image
mkdir room/mnt
SCRATCH_DEV=$(losetup --find --show room/image)
export SCRATCH_DEV SCRATCH_MNT=$PWD/room/mnt RESULT_DIR=$PWD/results FSTYP=ext4
export XFS_IO_PROG=$(command -v xfs_io) PYTHON3_PROG=$(command -v python3)
export FILEFRAG_PROG=$(command -v filefrag)
./${test} >${test}.seen 2>&1
s=$?
umount "$SCRATCH_DEV" 2>/dev/null
losetup -d "$SCRATCH_DEV"
umount room
exit $s
`;

/** What comes of a test. */
export interface Checked {
  end: "passed" | "failed" | "not run";
  /** What it printed, or why it was not run. */
  said: string;
}

const testOf = (name: string): string => join("tests", "ext4", name);

/**
 * Adds the test that a patch holds to a new tree in `folder`; the program that runs it.
 *
 * @param name of the test, as it is in the patch
 * @throws where the patch does not apply
 */
export async function standIn(folder: string, name: string, patch: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  for (const part of ["common", "results", "room"]) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  writeFileSync(join(folder, "common", "preamble"), PREAMBLE);
  const check = join(folder, "check");
  writeFileSync(check, checkOf(testOf(name)), { mode: 0o755 });
  // As it is where no repository is above it.
  const env = { GIT_CEILING_DIRECTORIES: join(folder, "..") };
  await execa("git", ["apply", "-"], { cwd: folder, input: patch, env });
  return check;
}

/** Throws where shellcheck finds a mistake in a test of that tree. */
export async function lintFstest(folder: string, name: string): Promise<void> {
  const options = ["--severity=warning", "--exclude=SC2034,SC2154"];
  await execa("shellcheck", [...options, testOf(name)], { cwd: folder });
}

/** What came of it, by the exit status of that program and what it left in `folder`. */
export function checked(folder: string, name: string, exitCode: number | undefined): Checked {
  const test = testOf(name);
  const notRun = join(folder, "results", `${name}.notrun`);
  if (existsSync(notRun)) return { end: "not run", said: readFileSync(notRun, "utf8") };
  const said = readFileSync(join(folder, `${test}.seen`), "utf8");
  const golden = readFileSync(join(folder, `${test}.out`), "utf8");
  return { end: exitCode === 0 && said === golden ? "passed" : "failed", said };
}
