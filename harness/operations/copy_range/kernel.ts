import type { KernelCall } from "../../aspects/on-kernel.ts";
import * as sys from "../../system/syscalls.ts";
import type { CopyRange } from "./operation.ts";

/** Two loff_t that stay where they are. */
const LOFF_BYTES = 8;

let kept: { address: number; offsets: BigInt64Array } | undefined;

function keptOffsets(): NonNullable<typeof kept> {
  if (kept !== undefined) return kept;
  const { address, buffer } = sys.keptMemory(2 * LOFF_BYTES);
  return (kept = { address, offsets: new BigInt64Array(buffer, 0, 2) });
}

export const onKernel: KernelCall<CopyRange> = {
  call(files, { file = 0, pos, to_pos, len }) {
    const { address, offsets } = keptOffsets();
    offsets[0] = BigInt(pos);
    offsets[1] = BigInt(to_pos);
    const [from, to] = [files.fdOf(file), files.fd];
    return files.calls.copy_file_range(from, address, to, address + LOFF_BYTES, len, 0);
  },
};
