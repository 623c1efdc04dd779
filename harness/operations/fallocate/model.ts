import { fallocate } from "../../../model/file-system.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import type { Fallocate } from "./operation.ts";

export const onModel: ModelCall<Fallocate> = {
  call: (inode, { mode, pos, len }) => fallocate(inode, mode, pos, len),
};
