import type { InFsx } from "../../aspects/in-fsx.ts";
import type { MmapWrite } from "./operation.ts";

export const inFsx: InFsx<MmapWrite> = {
  cannot: (_, { syncsNext }) =>
    syncsNext ? undefined : "fsx syncs at once what it stores through a mapping",
  line: ({ pos, len }) => ({ name: "mapwrite", numbers: [pos, len] }),
};
