import { ftruncate } from "../../../model/file-system.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import type { Ftruncate } from "./operation.ts";

export const onModel: ModelCall<Ftruncate> = { call: (inode, { size }) => ftruncate(inode, size) };
