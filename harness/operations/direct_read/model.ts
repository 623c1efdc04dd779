import { bytesOnDisk, directRead } from "../../../model/file-system.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import { onModel as pread } from "../pread/model.ts";
import type { DirectRead } from "./operation.ts";

export const onModel: ModelCall<DirectRead> = {
  call: (inode, { pos, len }) => directRead(inode, pos, len),
  read: (inode, { pos }, length) => bytesOnDisk(inode, pos, length),
  unknown: (inode, operation, length) =>
    pread.unknown?.(inode, { ...operation, op: "pread" }, length) ?? [],
};
