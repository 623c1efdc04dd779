/**
 * Whether a page of a file lies in a large folio, from /proc/self/pagemap and /proc/kpageflags
 * (Documentation/admin-guide/mm/pagemap.rst). Needs root.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { MAP_POPULATE, MAP_SHARED, PROT_READ, mustSucceed, syscalls } from "./syscalls.ts";

const KPF_COMPOUND_HEAD = 15n;
const KPF_COMPOUND_TAIL = 16n;
const PFN_MASK = (1n << 55n) - 1n;
const PRESENT = 63n;

function readWord(path: string, index: number): bigint {
  const fd = openSync(path, "r");
  try {
    const word = Buffer.alloc(8);
    readSync(fd, word, 0, 8, index * 8);
    return word.readBigUInt64LE();
  } finally {
    closeSync(fd);
  }
}

/**
 * Whether the page-cache page at `pos`, which must be below the file's size, lies in a large folio;
 * undefined where the kernel does not tell.
 */
export function inLargeFolio(fd: number, pos: number): boolean | undefined {
  const sys = syscalls();
  const pageBytes = sys.getpagesize();
  const start = pos - (pos % pageBytes);
  // Populated, since pagemap knows mapped pages only.
  const flags = MAP_SHARED | MAP_POPULATE;
  const address = mustSucceed(sys.mmap(0, pageBytes, PROT_READ, flags, fd, start), "mmap");
  try {
    const entry = readWord("/proc/self/pagemap", address / pageBytes);
    const pfn = entry & PFN_MASK;
    if (((entry >> PRESENT) & 1n) === 0n || pfn === 0n) return undefined;
    const flags = readWord("/proc/kpageflags", Number(pfn));
    return (flags & ((1n << KPF_COMPOUND_HEAD) | (1n << KPF_COMPOUND_TAIL))) !== 0n;
  } catch {
    // No CONFIG_PROC_PAGE_MONITOR.
    return undefined;
  } finally {
    sys.munmap(address, pageBytes);
  }
}
