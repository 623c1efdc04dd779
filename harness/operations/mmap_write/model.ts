import { mmapWrite } from "../../../model/file-system.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import type { MmapWrite } from "./operation.ts";

export const onModel: ModelCall<MmapWrite> = {
  call: (inode, { pos, len }, tag) => mmapWrite(inode, pos, len, tag),
};
