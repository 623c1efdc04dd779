import { pread, unknownBytes } from "../../../model/file-system.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import type { Pread } from "./operation.ts";

export const onModel: ModelCall<Pread> = {
  call: (inode, { pos, len }) => pread(inode, pos, len),
  read: (_, { pos }, length, bytesAt) => bytesAt(pos, length),
  unknown: (inode, { pos }, length) =>
    unknownBytes(inode, pos, length).map(({ start, end }) => ({
      start: start - pos,
      end: end - pos,
    })),
};
