/**
 * The first program of a guest, as a shell script: mounts what a guest needs and becomes the
 * worker. The host's root is there read-only, so nothing is installed and nothing of the host's can
 * be changed; whatever is written lies in the guest's memory.
 */

export interface InitOptions {
  /** The worker's program, and arguments that come before the line. */
  command: readonly string[];
  /** The serial line to the supervisor, "/dev/ttyS0". */
  line: string;
}

/** What the script says when the worker has ended by itself; the console's reader looks for it. */
export const WORKER_ENDED = "ext4-conform: the worker ended with status";

/** What it says when something that it needs is not there. */
export const INIT_FAILED = "ext4-conform: the guest cannot be set up:";

/** Seconds that a task may be stuck before the guest's kernel reports it. */
const HUNG_TASK_SECONDS = 8;

/** A word for the shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * The text of the script. A distribution's user-mode Linux has its loop driver in a module, which
 * lies where the package user-mode-linux puts it. What is there already (CONFIG_DEVTMPFS_MOUNT) is
 * not an error, nor is what may be missing. From version 22 on Node.js waits by io_uring, of whose
 * rings a user-mode Linux loses the pages as soon as the process forks, and goes down.
 */
export function initScript({ command, line }: InitOptions): string {
  const worker = [...command, line].map(quoted).join(" ");
  return `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/dev/shm TMPDIR=/dev/shm
lacks() { echo "${INIT_FAILED} $1"; while :; do sleep 1000; done; }
mount -t proc proc /proc || lacks "no proc (CONFIG_PROC_FS)"
mount -t sysfs sysfs /sys || lacks "no sysfs (CONFIG_SYSFS)"
mount -t devtmpfs devtmpfs /dev 2>/dev/null
[ -e /dev/loop-control ] || modprobe loop 2>/dev/null ||
  insmod /usr/lib/uml/modules/$(uname -r)/kernel/drivers/block/loop.ko 2>/dev/null
[ -e /dev/loop-control ] || lacks "no loop devices (CONFIG_BLK_DEV_LOOP=y, CONFIG_DEVTMPFS=y)"
grep -qw ext4 /proc/filesystems || lacks "no ext4 (CONFIG_EXT4_FS=y)"
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm || lacks "no tmpfs (CONFIG_TMPFS=y, CONFIG_SHMEM=y)"
mount -t tmpfs tmpfs /run
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
timeout=/proc/sys/kernel/hung_task_timeout_secs
[ -w $timeout ] && echo ${HUNG_TASK_SECONDS} > $timeout
uring=/proc/sys/kernel/io_uring_disabled
[ -w $uring ] && echo 2 > $uring
[ -c ${quoted(line)} ] || lacks "no ${line}"
stty -F ${quoted(line)} raw -echo || lacks "no terminal at ${line}"
cd /
${worker}
echo "${WORKER_ENDED} $?"
while :; do sleep 1000; done
`;
}
