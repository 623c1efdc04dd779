/**
 * What a kernel under test must be built with, as data: the symbols of its configuration, each
 * group with the reason.
 *
 * Everything else is off (`make allnoconfig`), so that a build takes minutes. Lockdep and KASAN
 * make it slow and find more: add them with --config.
 */

export type Arch = "um" | "x86_64";

export interface ConfigGroup {
  /** Why, a line. */
  reason: string;
  /** Names without CONFIG_, and their values. */
  symbols: Readonly<Record<string, string>>;
  /** A kernel without them cannot be used. */
  required?: boolean;
}

const on = (...names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, "y"]));

const common: readonly ConfigGroup[] = [
  {
    reason: "the file system under test, on a file in memory",
    symbols: { ...on("BLOCK", "BLK_DEV", "BLK_DEV_LOOP", "EXT4_FS", "SHMEM", "TMPFS") },
    required: true,
  },
  {
    reason: "64 bits; all that is needed is built in",
    symbols: { ...on("64BIT"), MODULES: "n", BLK_DEV_LOOP_MIN_COUNT: "8" },
  },
  {
    reason: "what a shell, mount and Node.js need",
    symbols: on(
      "BINFMT_ELF",
      "BINFMT_SCRIPT",
      "DEVTMPFS",
      "EPOLL",
      "EVENTFD",
      "FILE_LOCKING",
      "FUTEX",
      "MULTIUSER",
      "POSIX_TIMERS",
      "PROC_FS",
      "SYSFS",
      "TTY",
    ),
    required: true,
  },
  {
    reason: "the same, where the kernel has them",
    symbols: on(
      "ADVISE_SYSCALLS",
      "AIO",
      "FHANDLE",
      "HIGH_RES_TIMERS",
      "INOTIFY_USER",
      "IO_URING",
      "MEMBARRIER",
      "NAMESPACES",
      "NET",
      "NO_HZ_IDLE",
      "PID_NS",
      "PROC_PAGE_MONITOR",
      "SIGNALFD",
      "SYSVIPC",
      "TIMERFD",
      "UNIX",
      "UNIX98_PTYS",
    ),
  },
  {
    reason: "a kernel that says what is wrong, in time",
    symbols: {
      ...on("BUG", "DEBUG_KERNEL", "DETECT_HUNG_TASK", "KALLSYMS", "PRINTK", "SOFTLOCKUP_DETECTOR"),
      DEBUG_INFO_NONE: "y",
    },
  },
  {
    reason: "trace events tell which path a write took; debugfs lets a warning come twice",
    symbols: on("DEBUG_FS", "ENABLE_DEFAULT_TRACERS", "FTRACE"),
  },
  {
    reason: "failures and pauses on purpose",
    symbols: on(
      "FAILSLAB",
      "FAIL_MAKE_REQUEST",
      "FAIL_PAGE_ALLOC",
      "FAULT_INJECTION",
      "FAULT_INJECTION_DEBUG_FS",
      "USERFAULTFD",
    ),
  },
];

const byArch: Readonly<Record<Arch, readonly ConfigGroup[]>> = {
  um: [
    { reason: "the root of the host", symbols: on("HOSTFS"), required: true },
    {
      reason: "the console, and the line to the worker",
      symbols: on("NULL_CHAN", "SSL", "STDERR_CONSOLE"),
      required: true,
    },
  ],
  x86_64: [
    {
      reason: "the root of the host, over 9p",
      symbols: on(
        "9P_FS",
        "INET",
        "NETWORK_FILESYSTEMS",
        "NET_9P",
        "NET_9P_VIRTIO",
        "PCI",
        "VIRTIO_MENU",
        "VIRTIO_PCI",
      ),
      required: true,
    },
    {
      reason: "the console, and the line to the worker",
      symbols: on("SERIAL_8250", "SERIAL_8250_CONSOLE"),
      required: true,
    },
    {
      reason: "a machine that QEMU makes, with large folios, and whose time goes right",
      symbols: on(
        "ACPI",
        "HYPERVISOR_GUEST",
        "MAGIC_SYSRQ",
        "PARAVIRT",
        "KVM_GUEST",
        "RTC_CLASS",
        "TRANSPARENT_HUGEPAGE",
        "X86_TSC",
      ),
    },
  ],
};

const coverage: readonly ConfigGroup[] = [
  {
    reason: "which lines ran (gcov); fs/ext4 and fs/iomap are what is measured",
    symbols: { ...on("DEBUG_FS", "GCOV_KERNEL"), GCOV_PROFILE_ALL: "n" },
    required: true,
  },
];

/** The groups for an architecture, in the order in which they are printed. */
export function configGroups(arch: Arch, withCoverage: boolean): ConfigGroup[] {
  return [...common, ...byArch[arch], ...(withCoverage ? coverage : [])];
}
