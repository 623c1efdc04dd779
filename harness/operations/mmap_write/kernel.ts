import type { KernelCall } from "../../aspects/on-kernel.ts";
import * as sys from "../../system/syscalls.ts";
import type { MmapWrite } from "./operation.ts";

let pageBytes: number | undefined;

/**
 * Stores through a shared mapping. 0 where every byte was stored, else -EFAULT, where a program's
 * own store would have died of SIGBUS (ENOSPC in ext4_page_mkwrite).
 */
export const onKernel: KernelCall<MmapWrite> = {
  call({ calls, fd, user }, { pos, len }, tag) {
    pageBytes ??= calls.getpagesize();
    const start = pos - (pos % pageBytes);
    const bytes = pos + len - start;
    const access = sys.PROT_READ | sys.PROT_WRITE;
    const address = calls.mmap(0, bytes, access, sys.MAP_SHARED, fd, start);
    if (address < 0) return address;
    // As with the descriptor: a fault must bring in its own page, not the ones around it.
    calls.madvise(address, bytes, sys.MADV_RANDOM);
    const at = address + pos - start;
    const stored = calls.pread(user.file(), at, len, user.fileOffset(tag, len));
    sys.mustSucceed(calls.munmap(address, bytes), "munmap");
    return stored === len ? 0 : -sys.EFAULT;
  },
};
