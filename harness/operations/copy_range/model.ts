import { copy_file_range } from "../../../model/splice.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import type { CopyRange } from "./operation.ts";

export const onModel: ModelCall<CopyRange> = {
  call: (inode, { file = 0, pos, to_pos, len }, _tag, fileOf) =>
    copy_file_range(fileOf(file), pos, inode, to_pos, len),
};
