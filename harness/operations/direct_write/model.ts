import { directWrite } from "../../../model/file-system.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import type { DirectWrite } from "./operation.ts";

export const onModel: ModelCall<DirectWrite> = {
  call: (inode, { pos, len, readable }, tag) => directWrite(inode, pos, len, readable, tag),
};
