import { fsync } from "../../../model/file-system.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import type { Fsync } from "./operation.ts";

export const onModel: ModelCall<Fsync> = { call: fsync };
