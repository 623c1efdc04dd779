import { dropCache } from "../../../model/file-system.ts";
import type { ModelCall } from "../../aspects/on-model.ts";
import type { DropCache } from "./operation.ts";

export const onModel: ModelCall<DropCache> = { call: dropCache };
