/**
 * System calls through libc, in process: one call costs about 0.3 us more than the kernel itself
 * takes.
 *
 * Every function returns what the call returned, or -errno; nothing throws. Addresses are plain
 * numbers: user addresses lie below 2^47 and offsets below 2^53, so koffi passes both without
 * BigInt. (Number, BigInt and Buffer arguments were measured within 5 % of each other on koffi 3;
 * numbers are the ones that can be computed with.)
 *
 * The constants are those of include/uapi; of the ones used here only O_DIRECT differs between
 * x86-64 and aarch64.
 */
import { EnvironmentError } from "../case/failure.ts";
import { loadKoffi } from "./koffi.ts";

export const O_RDONLY = 0;
export const O_RDWR = 0o2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
/** flock(2) */
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const O_CLOEXEC = 0o2000000;

/** O_DIRECT is one of the few that differ (arch/arm64/include/uapi/asm/fcntl.h). */
export const O_DIRECT = process.arch === "arm64" ? 0o200000 : 0o40000;

/** For a file that nobody has made yet. */
export const NEW_FILE = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;

export const SEEK_END = 2;

export const RWF_DSYNC = 0x02;
export const RWF_SYNC = 0x04;
export const RWF_APPEND = 0x10;

export const RLIMIT_FSIZE = 1;
export const RLIM_INFINITY = 2n ** 64n - 1n;

export const MS_REMOUNT = 32;
export const MS_REC = 16_384;
export const MS_SLAVE = 1 << 19;

export const MNT_DETACH = 2;

/** For unshare(2): mounts of its own (include/uapi/linux/sched.h). */
export const CLONE_NEWNS = 0x20000;

export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
export const MAP_POPULATE = 0x8000;
export const MADV_RANDOM = 1;
export const MADV_DONTNEED = 4;
export const MADV_NOHUGEPAGE = 15;
export const MADV_PAGEOUT = 21;

export const AT_EMPTY_PATH = 0x1000;
export const STATX_MTIME = 0x40;
export const STATX_CTIME = 0x80;
export const STATX_INO = 0x100;
export const STATX_SIZE = 0x200;
export const STATX_BLOCKS = 0x400;

export const POSIX_FADV_RANDOM = 1;
export const POSIX_FADV_DONTNEED = 4;

export const SYNC_FILE_RANGE_WAIT_BEFORE = 1;
export const SYNC_FILE_RANGE_WRITE = 2;
export const SYNC_FILE_RANGE_WAIT_AFTER = 4;

export const FALLOC_FL_KEEP_SIZE = 0x01;
export const FALLOC_FL_PUNCH_HOLE = 0x02;
export const FALLOC_FL_COLLAPSE_RANGE = 0x08;
export const FALLOC_FL_ZERO_RANGE = 0x10;
export const FALLOC_FL_INSERT_RANGE = 0x20;

export const EPERM = 1;
export const EINTR = 4;
export const EIO = 5;
export const EBADF = 9;
export const EFAULT = 14;
export const EINVAL = 22;
export const ENOTTY = 25;
export const ENOSPC = 28;
export const EROFS = 30;
export const ENOSYS = 38;
export const EBADMSG = 74;
export const EUCLEAN = 117;

/**
 * Number of userfaultfd(2) on each machine (arch/x86/entry/syscalls,
 * include/uapi/asm-generic/unistd.h).
 */
const USERFAULTFD: Readonly<Record<string, number>> = { x64: 323, arm64: 282 };

/**
 * Number of cachestat(2) everywhere (include/uapi/asm-generic/unistd.h): it came after numbers were
 * made one.
 */
const CACHESTAT = 451;

/** A result that is not negative, or -errno. */
export type Result = number;

/** The calls, under their names. `address` is a user address; `len`, `pos` and `size` are bytes. */
export interface Syscalls {
  open(path: string, flags: number, mode: number): Result;
  close(fd: number): Result;
  unlink(path: string): Result;
  rename(from: string, to: string): Result;
  lseek(fd: number, pos: number, whence: number): Result;
  pread(fd: number, address: number, len: number, pos: number): Result;
  pwrite(fd: number, address: number, len: number, pos: number): Result;
  /** `address` is that of `count` struct iovec. */
  pwritev2(fd: number, address: number, count: number, pos: number, flags: number): Result;
  /** `inAt` and `outAt` are the addresses of a loff_t each. */
  copy_file_range(
    from: number,
    inAt: number,
    to: number,
    outAt: number,
    len: number,
    flags: number,
  ): Result;
  /** `address` is that of a struct rlimit. */
  getrlimit(resource: number, address: number): Result;
  setrlimit(resource: number, address: number): Result;
  /** `operation`: LOCK_EX and the like. */
  flock(fd: number, operation: number): Result;
  ftruncate(fd: number, size: number): Result;
  fallocate(fd: number, mode: number, pos: number, len: number): Result;
  fsync(fd: number): Result;
  syncfs(fd: number): Result;
  sync_file_range(fd: number, pos: number, len: number, flags: number): Result;
  posix_fadvise(fd: number, pos: number, len: number, advice: number): Result;
  /** The address, or -errno. */
  mmap(address: number, len: number, prot: number, flags: number, fd: number, pos: number): Result;
  munmap(address: number, len: number): Result;
  madvise(address: number, len: number, advice: number): Result;
  mprotect(address: number, len: number, prot: number): Result;
  /** Without a wrapper in libc. */
  userfaultfd(flags: number): Result;
  /**
   * `range` is the address of a struct cachestat_range, `stat` of a struct cachestat. Without a
   * wrapper in libc; since 6.5.
   */
  cachestat(fd: number, range: number, stat: number, flags: number): Result;
  eventfd(initial: number, flags: number): Result;
  read(fd: number, address: number, len: number): Result;
  /** `address` is that of `count` struct pollfd; `timeout` is in milliseconds, -1 for ever. */
  poll(address: number, count: number, timeout: number): Result;
  memfd_create(name: string, flags: number): Result;
  ioctl(fd: number, request: number, address: number): Result;
  mount(source: string, target: string, type: string, flags: number, data: string): Result;
  umount2(target: string, flags: number): Result;
  unshare(flags: number): Result;
  /**
   * Fills a `struct statx` (256 bytes) at `address`; unlike struct stat it is laid out alike on
   * every machine.
   */
  statx(fd: number, path: string, flags: number, mask: number, address: number): Result;
  /** Bytes of a page. */
  getpagesize(): number;
  /** Number of the processor that the thread runs on. */
  sched_getcpu(): Result;
  /**
   * The `len` bytes of this process's memory at `address`, shared with the kernel: valid while they
   * are mapped.
   */
  memory(address: number, len: number): ArrayBuffer;
}

type Native = (...args: (number | string)[]) => number;

/** The argument types of each call, in koffi's names; a pointer is a number, hence uint64_t. */
const SIGNATURES = {
  open: ["int", "str", "int", "uint32_t"],
  close: ["int", "int"],
  unlink: ["int", "str"],
  rename: ["int", "str", "str"],
  lseek: ["int64_t", "int", "int64_t", "int"],
  pread: ["int64_t", "int", "uint64_t", "uint64_t", "int64_t"],
  pwrite: ["int64_t", "int", "uint64_t", "uint64_t", "int64_t"],
  copy_file_range: ["int64_t", "int", "uint64_t", "int", "uint64_t", "uint64_t", "uint32_t"],
  pwritev2: ["int64_t", "int", "uint64_t", "int", "int64_t", "int"],
  getrlimit: ["int", "int", "uint64_t"],
  setrlimit: ["int", "int", "uint64_t"],
  flock: ["int", "int", "int"],
  ftruncate: ["int", "int", "int64_t"],
  fallocate: ["int", "int", "int", "int64_t", "int64_t"],
  fsync: ["int", "int"],
  syncfs: ["int", "int"],
  sync_file_range: ["int", "int", "int64_t", "int64_t", "uint32_t"],
  posix_fadvise: ["int", "int", "int64_t", "int64_t", "int"],
  mmap: ["int64_t", "uint64_t", "uint64_t", "int", "int", "int", "int64_t"],
  munmap: ["int", "uint64_t", "uint64_t"],
  madvise: ["int", "uint64_t", "uint64_t", "int"],
  mprotect: ["int", "uint64_t", "uint64_t", "int"],
  syscall: ["int64_t", "int64_t", "int64_t", "uint64_t", "uint64_t", "uint64_t"],
  eventfd: ["int", "uint32_t", "int"],
  read: ["int64_t", "int", "uint64_t", "uint64_t"],
  poll: ["int", "uint64_t", "uint64_t", "int"],
  memfd_create: ["int", "str", "uint32_t"],
  ioctl: ["int", "int", "uint64_t", "uint64_t"],
  mount: ["int", "str", "str", "str", "uint64_t", "str"],
  umount2: ["int", "str", "int"],
  unshare: ["int", "int"],
  statx: ["int", "int", "str", "int", "uint32_t", "uint64_t"],
  getpagesize: ["int"],
  sched_getcpu: ["int"],
} as const;

function bind(): Syscalls {
  // Loaded here and not imported above: the model and its tests must run where no libc can be
  // bound.
  const koffi = loadKoffi();
  // null is the process itself, so that glibc and musl are found alike.
  const libc = koffi.load(null);
  const native = (name: keyof typeof SIGNATURES): Native => {
    const [result, ...args] = SIGNATURES[name];
    return libc.func(name, result, [...args]);
  };
  const errno = koffi.errno;
  const [open, close] = [native("open"), native("close")];
  const [unlink, rename, lseek] = [native("unlink"), native("rename"), native("lseek")];
  const [pread, pwrite, ftruncate] = [native("pread"), native("pwrite"), native("ftruncate")];
  const [fallocate, fsync, syncfs] = [native("fallocate"), native("fsync"), native("syncfs")];
  const [sync_file_range, posix_fadvise] = [native("sync_file_range"), native("posix_fadvise")];
  const [mmap, munmap, madvise] = [native("mmap"), native("munmap"), native("madvise")];
  const [mprotect, syscall, eventfd] = [native("mprotect"), native("syscall"), native("eventfd")];
  const [read, poll, pwritev2] = [native("read"), native("poll"), native("pwritev2")];
  const [flock, copy_file_range] = [native("flock"), native("copy_file_range")];
  const [getrlimit, setrlimit] = [native("getrlimit"), native("setrlimit")];
  const [memfd_create, ioctl, statx] = [native("memfd_create"), native("ioctl"), native("statx")];
  const [mount, umount2, unshare] = [native("mount"), native("umount2"), native("unshare")];
  const checked = (result: number): Result => (result < 0 ? -errno() : result);
  // Fixed parameter lists, not (...args): a rest array costs more than the bridge to the call.
  return {
    open: (path, flags, mode) => checked(open(path, flags, mode)),
    close: (fd) => checked(close(fd)),
    unlink: (path) => checked(unlink(path)),
    rename: (from, to) => checked(rename(from, to)),
    lseek: (fd, pos, whence) => checked(lseek(fd, pos, whence)),
    pread: (fd, address, len, pos) => checked(pread(fd, address, len, pos)),
    pwrite: (fd, address, len, pos) => checked(pwrite(fd, address, len, pos)),
    pwritev2: (fd, address, count, pos, flags) => checked(pwritev2(fd, address, count, pos, flags)),
    copy_file_range: (from, inAt, to, outAt, len, flags) =>
      checked(copy_file_range(from, inAt, to, outAt, len, flags)),
    getrlimit: (resource, address) => checked(getrlimit(resource, address)),
    setrlimit: (resource, address) => checked(setrlimit(resource, address)),
    flock: (fd, operation) => checked(flock(fd, operation)),
    ftruncate: (fd, size) => checked(ftruncate(fd, size)),
    fallocate: (fd, mode, pos, len) => checked(fallocate(fd, mode, pos, len)),
    fsync: (fd) => checked(fsync(fd)),
    syncfs: (fd) => checked(syncfs(fd)),
    sync_file_range: (fd, pos, len, flags) => checked(sync_file_range(fd, pos, len, flags)),
    // posix_fadvise returns the error itself and leaves errno alone.
    posix_fadvise: (fd, pos, len, advice) => 0 - posix_fadvise(fd, pos, len, advice),
    mmap: (address, len, prot, flags, fd, pos) => checked(mmap(address, len, prot, flags, fd, pos)),
    munmap: (address, len) => checked(munmap(address, len)),
    madvise: (address, len, advice) => checked(madvise(address, len, advice)),
    mprotect: (address, len, prot) => checked(mprotect(address, len, prot)),
    userfaultfd: (flags) => checked(syscall(USERFAULTFD[process.arch] ?? -1, flags, 0, 0, 0)),
    cachestat: (fd, range, stat, flags) => checked(syscall(CACHESTAT, fd, range, stat, flags)),
    eventfd: (initial, flags) => checked(eventfd(initial, flags)),
    read: (fd, address, len) => checked(read(fd, address, len)),
    poll: (address, count, timeout) => checked(poll(address, count, timeout)),
    memfd_create: (name, flags) => checked(memfd_create(name, flags)),
    ioctl: (fd, request, address) => checked(ioctl(fd, request, address)),
    mount: (source, target, type, flags, data) => checked(mount(source, target, type, flags, data)),
    umount2: (target, flags) => checked(umount2(target, flags)),
    unshare: (flags) => checked(unshare(flags)),
    statx: (fd, path, flags, mask, address) => checked(statx(fd, path, flags, mask, address)),
    getpagesize: native("getpagesize"),
    sched_getcpu: native("sched_getcpu"),
    memory: (address, len) => koffi.view(BigInt(address), len),
  };
}

let bound: Syscalls | undefined;

/** The calls of this machine's libc, bound on first use. */
export function syscalls(): Syscalls {
  return (bound ??= bind());
}

/**
 * Anonymous memory that this process keeps until it ends: zeroed, page-aligned, resident once
 * written to.
 */
export function keptMemory(len: number): { address: number; buffer: ArrayBuffer } {
  const sys = syscalls();
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const address = mustSucceed(sys.mmap(0, len, PROT_READ | PROT_WRITE, flags, -1, 0), "mmap");
  return { address, buffer: sys.memory(address, len) };
}

/**
 * A result that only the environment can have spoiled: returned where it is not an error, else
 * EnvironmentError.
 */
export function mustSucceed(result: Result, call: string): number {
  if (result >= 0) return result;
  throw new EnvironmentError(
    "process-failed",
    `${call} failed with errno ${-result}`,
    "Look at the kernel log (dmesg) and at the limits of this process (ulimit -a).",
  );
}
